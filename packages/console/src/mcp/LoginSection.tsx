import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import type { McpServer } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { Confirm } from "../ui/Confirm.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import { authorizeBody, loginShown } from "./login.logic.ts"

/** For servers that know who may ask, and let nobody register. */
const OwnClient = (props: {
  readonly id: string
  readonly secret: string
  readonly onChange: (client: { readonly id: string; readonly secret: string }) => void
}) => {
  const { id, onChange, secret } = props
  return (
    <details>
      <summary>The server asks for a client of our own</summary>
      <div className="field-row">
        <TextField
          id="mcp-client"
          title="Client id"
          isLiteral
          value={id}
          onChange={(value) => onChange({ id: value, secret })}
        />
        <div className="field">
          <label htmlFor="mcp-client-secret">Client secret</label>
          <input
            id="mcp-client-secret"
            className="input mono"
            type="password"
            autoComplete="new-password"
            value={secret}
            onChange={(event) => onChange({ id, secret: event.target.value })}
          />
        </div>
      </div>
      <p className="hint">
        Register it there with <code>{window.location.origin}/mcp/callback</code> as the address to come back to.
      </p>
    </details>
  )
}

/** Who logged in to a server for the workspace. One leaves for the server's own page, and comes back here. */
export const LoginSection = ({ server }: { readonly server: McpServer }) => {
  const client = useQueryClient()
  const [isLeaving, setLeaving] = useState(false)
  const [own, setOwn] = useState({ id: "", secret: "" })
  const authorization = useQuery({
    queryKey: ["mcp-authorization", server.id, server.authorization, server.updated_at],
    queryFn: () => troupe.mcpServers.authorization(server.id)
  })
  const refresh = () => {
    for (const key of ["mcp-servers", "mcp-authorization", "mcp-probe"]) {
      void client.invalidateQueries({ queryKey: [key] })
    }
  }
  const connect = useMutation({
    mutationFn: () => troupe.mcpServers.authorize(server.id, authorizeBody(own.id, own.secret)),
    onSuccess: ({ authorization_url: address }) => (address === null ? refresh() : window.location.assign(address))
  })
  const forget = useMutation({
    mutationFn: () => troupe.mcpServers.forgetAuthorization(server.id),
    onSuccess: () => {
      setLeaving(false)
      refresh()
    }
  })
  return (
    <section className="mcp-part" aria-labelledby="mcp-login">
      <h2 id="mcp-login">Login</h2>
      <Loaded of={authorization} rows={2} isInset>
        {(found) => {
          const { facts, text, tone, verb } = loginShown(found)
          const isConnected = found.status === "connected"
          return (
            <>
              <p>
                <span className={`badge ${tone}`}>{text}</span>
              </p>
              {found.reason === null ? null : <p className="soft">{found.reason}</p>}
              {facts.length > 0 ? (
                <dl className="facts">
                  {facts.map(([name, value]) => (
                    <div key={name} className="fact">
                      <dt>{name}</dt>
                      <dd>{value}</dd>
                    </div>
                  ))}
                </dl>
              ) : (
                <p className="soft">
                  Where the server wants OAuth, somebody connects once, for the workspace. Its tokens are renewed by
                  themselves, and shown to nobody.
                </p>
              )}
              {isConnected ? null : <OwnClient {...own} onChange={setOwn} />}
              <div className="row-buttons">
                <button
                  type="button"
                  className={isConnected ? "button" : "button first"}
                  disabled={connect.isPending}
                  onClick={() => connect.mutate()}
                >
                  {connect.isPending ? "Asking who lets us in …" : verb}
                </button>
                {found.status === "none" || found.status === "pending" ? null : (
                  <button type="button" className="button quiet danger" onClick={() => setLeaving(true)}>
                    Disconnect
                  </button>
                )}
              </div>
            </>
          )
        }}
      </Loaded>
      {connect.error === null ? null : <Problem error={connect.error} />}
      <Confirm
        title={`Disconnect from ${server.name}?`}
        isOpen={isLeaving}
        onClose={() => setLeaving(false)}
        word="Disconnect"
        of={forget}
        onConfirm={() => forget.mutate()}
      >
        <p>Its tokens are forgotten. Sessions go on without its tools, and say so, until somebody connects again.</p>
      </Confirm>
    </section>
  )
}
