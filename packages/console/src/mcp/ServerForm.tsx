import { type FormEvent, useState } from "react"
import type { McpServer, McpServerCreate } from "@troupe/client"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import { SecretHeaders } from "../ui/SecretHeaders.tsx"
import { Segments } from "../ui/Segments.tsx"
import { bodyOf, type Draft, draftOf, missing } from "./mcp.logic.ts"

const kinds = [
  { id: "url", title: "At an address" },
  { id: "stdio", title: "A program in the sandbox" }
] as const

/** An MCP server as people write it down, before and after it is there. */
export const ServerForm = (props: {
  readonly server: McpServer | null
  readonly isBusy: boolean
  readonly error: unknown
  readonly verb: string
  readonly onSubmit: (body: McpServerCreate) => void
}) => {
  const { error, isBusy, onSubmit, server, verb } = props
  const [draft, setDraft] = useState<Draft>(() => draftOf(server))
  const change = (some: Partial<Draft>) => setDraft((now) => ({ ...now, ...some }))
  const why = missing(draft)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (why === null) onSubmit(bodyOf(draft, server))
  }
  return (
    <form className="form" onSubmit={submit} aria-label={verb}>
      <div className="field-row">
        <TextField
          id="mcp-name"
          title="Name"
          maxLength={255}
          value={draft.name}
          onChange={(name) => change({ name })}
        />
        <TextField
          id="mcp-description"
          title="What it is for"
          maxLength={2048}
          value={draft.description}
          onChange={(description) => change({ description })}
        />
      </div>
      <Segments
        name="Reached"
        value={draft.kind}
        options={kinds}
        onChange={(kind) => change({ kind: kind as Draft["kind"] })}
      />
      {draft.kind === "url" ? (
        <>
          <div className="field">
            <label htmlFor="mcp-url">Address</label>
            <input
              id="mcp-url"
              className="input mono"
              placeholder="https://mcp.example.com/mcp"
              spellCheck={false}
              value={draft.url}
              onChange={(event) => change({ url: event.target.value })}
            />
          </div>
          <SecretHeaders
            headers={draft.headers}
            kept={server?.header_names ?? []}
            hint="A server that wants a login needs none."
            onChange={(headers) => change({ headers })}
          />
        </>
      ) : (
        <div className="field">
          <label htmlFor="mcp-command">Program and arguments, one a line</label>
          <textarea
            id="mcp-command"
            className="input mono"
            rows={4}
            placeholder={"npx\n-y\n@modelcontextprotocol/server-filesystem@2026.8.31\n/workspace"}
            spellCheck={false}
            value={draft.command}
            onChange={(event) => change({ command: event.target.value })}
          />
        </div>
      )}
      <div className="field">
        <label htmlFor="mcp-allowed">Tools that may be used</label>
        <input
          id="mcp-allowed"
          className="input mono"
          placeholder="all"
          spellCheck={false}
          value={draft.allowed}
          onChange={(event) => change({ allowed: event.target.value })}
        />
        <span className="hint">
          Names with spaces between them; <code>*</code> stands for anything: <code>search* read_*</code>
        </span>
      </div>
      <label className="check">
        <input type="checkbox" checked={draft.trusts} onChange={(event) => change({ trusts: event.target.checked })} />
        Believe what it says of its tools: that they only read, or may be repeated
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={draft.sampling}
          onChange={(event) => change({ sampling: event.target.checked })}
        />
        It may have text written by the session's model
      </label>
      {error === null ? null : <Problem error={error} />}
      <div className="form-foot">
        {why === null || draft.name === "" ? null : <span className="faint">{why}</span>}
        <button type="submit" className="button first" disabled={why !== null || isBusy}>
          {verb}
        </button>
      </div>
    </form>
  )
}
