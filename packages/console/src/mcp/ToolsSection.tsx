import { useQuery } from "@tanstack/react-query"
import { RefreshCw } from "lucide-react"
import type { McpServer } from "@troupe/client"
import * as queries from "../api/queries.ts"
import { plural } from "../ui/format.logic.ts"
import { Loaded } from "../ui/Loaded.tsx"
import { foundOf, signature } from "./mcp.logic.ts"

/** What the server has, asked for when somebody looks. */
export const ToolsSection = ({ server }: { readonly server: McpServer }) => {
  const probe = useQuery(queries.mcpTools(server))
  return (
    <section className="mcp-part" aria-labelledby="mcp-tools">
      <header>
        <h2 id="mcp-tools">Tools</h2>
        <button type="button" className="button quiet" disabled={probe.isFetching} onClick={() => void probe.refetch()}>
          <RefreshCw size={13} /> {probe.isFetching ? "Asking …" : "Ask again"}
        </button>
      </header>
      <Loaded of={probe} rows={3} isInset>
        {(found) => {
          const { text, tone } = foundOf(found)
          return (
            <>
              <p>
                <span className={`badge ${tone}`}>{text}</span>
                {found.has_resources ? <span className="badge">has resources</span> : null}
                {found.has_prompts ? <span className="badge">has prompts</span> : null}
              </p>
              {found.reason === null ? null : <p className="soft">{found.reason}</p>}
              {found.tools.length === 0 ? null : (
                <ul className="mcp-tools" aria-label={plural(found.tools.length, "tool")}>
                  {found.tools.map((tool) => (
                    <li key={tool.name}>
                      <code>{signature(tool)}</code>
                      {tool.read_only ? <span className="badge">only reads</span> : null}
                      {tool.description === "" ? null : <p className="soft">{tool.description}</p>}
                    </li>
                  ))}
                </ul>
              )}
              {found.problems.map((problem) => (
                <p key={problem} className="faint">
                  {problem}
                </p>
              ))}
            </>
          )
        }}
      </Loaded>
    </section>
  )
}
