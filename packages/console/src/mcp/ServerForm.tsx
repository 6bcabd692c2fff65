import { Plus, X } from "lucide-react"
import { type FormEvent, useState } from "react"
import type { McpServer, McpServerCreate } from "@troupe/client"
import { Problem } from "../ui/Problem.tsx"
import { Segments } from "../ui/Segments.tsx"
import { bodyOf, type Draft, draftOf, type Header, missing } from "./mcp.logic.ts"

const kinds = [
  { id: "url", title: "At an address" },
  { id: "stdio", title: "A program in the sandbox" }
] as const

/** Headers are typed in, sealed, and shown to nobody again. */
const Headers = (props: {
  readonly headers: ReadonlyArray<Header> | null
  readonly kept: ReadonlyArray<string>
  readonly onChange: (headers: ReadonlyArray<Header> | null) => void
}) => {
  const { headers, kept, onChange } = props
  if (headers === null) {
    return (
      <div className="field">
        <span className="label">Headers</span>
        <span>
          <code>{kept.join(", ")}</code> <span className="faint">kept, and not shown</span>
        </span>
        <span className="row-buttons">
          <button type="button" className="button" onClick={() => onChange([{ name: kept[0] ?? "", value: "" }])}>
            Replace them
          </button>
          <button type="button" className="button danger" onClick={() => onChange([])}>
            Take them away
          </button>
        </span>
      </div>
    )
  }
  const set = (at: number, change: Partial<Header>) =>
    onChange(headers.map((header, index) => (index === at ? { ...header, ...change } : header)))
  return (
    <fieldset className="field headers">
      <legend className="label">Headers</legend>
      {headers.map((header, at) => (
        <div key={at} className="header-row">
          <input
            className="input mono"
            aria-label={`Name of header ${at + 1}`}
            placeholder="Authorization"
            autoComplete="off"
            spellCheck={false}
            value={header.name}
            onChange={(event) => set(at, { name: event.target.value })}
          />
          <input
            className="input mono"
            type="password"
            aria-label={`Value of header ${at + 1}`}
            autoComplete="new-password"
            value={header.value}
            onChange={(event) => set(at, { value: event.target.value })}
          />
          <button
            type="button"
            className="button quiet only-icon"
            aria-label={`Leave out header ${at + 1}`}
            onClick={() => onChange(headers.filter((_, index) => index !== at))}
          >
            <X size={14} />
          </button>
        </div>
      ))}
      <span className="row-buttons">
        <button type="button" className="button" onClick={() => onChange([...headers, { name: "", value: "" }])}>
          <Plus size={13} /> Add a header
        </button>
        {kept.length === 0 ? null : (
          <button type="button" className="button quiet" onClick={() => onChange(null)}>
            Keep those of before
          </button>
        )}
      </span>
      {kept.length > 0 && headers.length === 0 ? (
        <span className="hint">Those that are kept are taken away: {kept.join(", ")}</span>
      ) : (
        <span className="hint">They are sealed, and never shown again. A server that wants a login needs none.</span>
      )}
    </fieldset>
  )
}

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
        <div className="field">
          <label htmlFor="mcp-name">Name</label>
          <input
            id="mcp-name"
            className="input"
            maxLength={255}
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        </div>
        <div className="field">
          <label htmlFor="mcp-description">What it is for</label>
          <input
            id="mcp-description"
            className="input"
            maxLength={2048}
            value={draft.description}
            onChange={(event) => change({ description: event.target.value })}
          />
        </div>
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
          <Headers
            headers={draft.headers}
            kept={server?.header_names ?? []}
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
