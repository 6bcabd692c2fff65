import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { KeyRound, Plus } from "lucide-react"
import { useState } from "react"
import type { Token } from "@troupe/client"
import { allOf, troupe } from "../api/troupe.ts"
import { listAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { Ago } from "../ui/Ago.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Confirm } from "../ui/Confirm.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { TextField } from "../ui/TextField.tsx"
import { kindTitle, living, scopes, scopeTexts, type Scope, toggled } from "./keys.logic.ts"

const NewKey = ({ onClose }: { readonly onClose: () => void }) => {
  const client = useQueryClient()
  const [name, setName] = useState("")
  const [chosen, setChosen] = useState<ReadonlyArray<Scope>>(["read", "write", "approve"])
  const create = useMutation({
    mutationFn: () => troupe.tokens.create({ kind: "api_key", name: name.trim(), scopes: chosen }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["tokens"] })
  })
  return (
    <Panel
      title="New API key"
      isOpen
      onClose={onClose}
      footer={
        create.data === undefined ? (
          <button
            type="button"
            className="button first"
            disabled={name.trim() === "" || chosen.length === 0 || create.isPending}
            onClick={() => create.mutate()}
          >
            Make it
          </button>
        ) : (
          <button type="button" className="button first" onClick={onClose}>
            Done
          </button>
        )
      }
    >
      {create.data === undefined ? (
        <>
          <TextField id="key-name" title="Name" value={name} onChange={setName} />
          <fieldset className="scopes">
            <legend>What it may do</legend>
            {scopes.map((scope) => (
              <label key={scope} className="check">
                <input
                  type="checkbox"
                  checked={chosen.includes(scope)}
                  onChange={() => setChosen((now) => toggled(now, scope))}
                />
                <span>
                  {scope} <span className="faint">{scopeTexts[scope]}</span>
                </span>
              </label>
            ))}
          </fieldset>
        </>
      ) : (
        <div className="field">
          <span className="label">This is the key. It is shown only now.</span>
          <div className="secret">
            <code>{create.data.secret}</code>
            <CopyButton text={create.data.secret} />
          </div>
        </div>
      )}
      {create.error === null ? null : <Problem error={create.error} />}
    </Panel>
  )
}

const Row = ({ onRevoke, token }: { readonly token: Token; readonly onRevoke: () => void }) => (
  <tr>
    <td className="wide">
      <strong>{token.name}</strong> <code className="faint">…{token.hint}</code>
    </td>
    <td className="soft">{kindTitle(token.kind)}</td>
    <td className="soft optional">{token.scopes.join(", ") || "–"}</td>
    <td className="faint right optional">
      {token.last_used_at === null ? "never" : <Ago at={Date.parse(token.last_used_at)} />}
    </td>
    <td className="right">
      <button type="button" className="button quiet danger" onClick={onRevoke}>
        Revoke
      </button>
    </td>
  </tr>
)

const KeysPage = () => {
  const client = useQueryClient()
  const tokens = useQuery({
    queryKey: ["tokens"],
    queryFn: async ({ signal }) => living(await allOf(troupe.tokens.list({ limit: 100 }, { signal })))
  })
  const [isMaking, setMaking] = useState(false)
  const [leaving, setLeaving] = useState<Token | null>(null)
  const revoke = useMutation({
    mutationFn: (id: string) => troupe.tokens.revoke(id),
    onSuccess: () => {
      setLeaving(null)
      void client.invalidateQueries({ queryKey: ["tokens"] })
    }
  })
  return (
    <>
      <PageHeader title="API keys" asked={listAsked("tokens", "tokens", "keys")}>
        <button type="button" className="button first" onClick={() => setMaking(true)}>
          <Plus size={14} /> New key
        </button>
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="API keys">
        <Loaded of={tokens}>
          {(shown) =>
            shown.length === 0 ? (
              <Empty icon={KeyRound} title="No keys">
                <p>A key lets programs in, with the scopes you give it.</p>
              </Empty>
            ) : (
              <table className="table">
                <thead>
                  <tr>
                    <th>Name</th>
                    <th>Kind</th>
                    <th className="optional">May</th>
                    <th className="right optional">Last used</th>
                    <th aria-label="Actions" />
                  </tr>
                </thead>
                <tbody>
                  {shown.map((token) => (
                    <Row key={token.id} token={token} onRevoke={() => setLeaving(token)} />
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </div>
      {isMaking ? <NewKey onClose={() => setMaking(false)} /> : null}
      <Confirm
        title={`Revoke ${leaving?.name ?? ""}?`}
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        word="Revoke"
        of={revoke}
        onConfirm={() => leaving !== null && revoke.mutate(leaving.id)}
      >
        <p>Whoever uses it is let out within five seconds. This can't be undone.</p>
      </Confirm>
    </>
  )
}
export default KeysPage
