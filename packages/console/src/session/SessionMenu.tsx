import { Menu } from "@base-ui/react/menu"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { Check, Ellipsis } from "lucide-react"
import { lazy, Suspense, useMemo, useState } from "react"
import { troupe } from "../api/troupe.ts"
import { useGo } from "../app/links.tsx"
import { CopyItems, useCopies } from "../app/CopyItems.tsx"
import { useActions } from "../registry/actions.ts"
import { Confirm } from "../ui/Confirm.tsx"
import { Panel } from "../ui/Panel.tsx"
import { Problem } from "../ui/Problem.tsx"
import { copies } from "./copies.logic.ts"

const ChangePolicies = lazy(() => import("./ChangePolicies.tsx"))
const VerifyPanel = lazy(() => import("./VerifyPanel.tsx"))

export const SessionMenu = ({ sessionId, title }: { readonly sessionId: string; readonly title: string | null }) => {
  const client = useQueryClient()
  const go = useGo()
  const [panel, setPanel] = useState<"rename" | "policies" | "delete" | "verify" | null>(null)
  const [name, setName] = useState(title ?? "")
  const close = () => setPanel(null)
  const rename = useMutation({
    mutationFn: () => troupe.sessions.update(sessionId, { title: name.trim() === "" ? null : name.trim() }),
    onSuccess: close
  })
  const fork = useMutation({
    mutationFn: () => troupe.sessions.fork(sessionId),
    onSuccess: ({ id }) => go(`sessions/${id}`)
  })
  const { actions: copyActions, isCopied } = useCopies(
    useMemo(() => copies(sessionId, window.location.origin), [sessionId])
  )
  const { mutate: forkIt } = fork
  useActions(
    useMemo(
      () => [
        { id: "fork", title: "Fork the session", section: "Session", words: "copy branch", run: () => forkIt() },
        {
          id: "policies-of-session",
          title: "Policies of the session",
          section: "Session",
          words: "permissions rules presets",
          run: () => setPanel("policies")
        },
        { id: "verify", title: "Verify the session", section: "Session", words: "proof", run: () => setPanel("verify") }
      ],
      [forkIt]
    )
  )
  const archive = useMutation({ mutationFn: () => troupe.sessions.archive(sessionId) })
  const trouble = fork.error ?? archive.error
  const forget = () => {
    fork.reset()
    archive.reset()
  }
  const erase = useMutation({
    mutationFn: () => troupe.sessions.delete(sessionId),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["sessions"] })
      go("sessions")
    }
  })
  return (
    <>
      <Menu.Root>
        <Menu.Trigger className="button quiet only-icon" aria-label={isCopied ? "Copied" : "More about this session"}>
          {isCopied ? <Check size={15} /> : <Ellipsis size={16} />}
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner align="end" sideOffset={4}>
            <Menu.Popup className="menu">
              <Menu.Item
                onClick={() => {
                  setName(title ?? "")
                  setPanel("rename")
                }}
              >
                Rename
              </Menu.Item>
              <Menu.Item onClick={() => setPanel("policies")}>Policies …</Menu.Item>
              <Menu.Item onClick={() => fork.mutate()}>Fork</Menu.Item>
              <Menu.Item onClick={() => setPanel("verify")}>Verify …</Menu.Item>
              <Menu.Item onClick={() => archive.mutate()}>Archive</Menu.Item>
              <Menu.Item onClick={() => setPanel("delete")}>Delete …</Menu.Item>
              <CopyItems actions={copyActions} />
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      {panel === "verify" ? (
        <Suspense>
          <VerifyPanel sessionId={sessionId} onClose={close} />
        </Suspense>
      ) : null}
      <Panel title="Policies of the session" isOpen={panel === "policies"} onClose={close}>
        <Suspense>
          <ChangePolicies sessionId={sessionId} onDone={close} />
        </Suspense>
      </Panel>
      <Panel title="It was not done" isOpen={trouble !== null} onClose={forget}>
        {trouble === null ? null : <Problem error={trouble} />}
      </Panel>
      <Panel
        title="Rename the session"
        isOpen={panel === "rename"}
        onClose={close}
        footer={
          <button type="button" className="button first" disabled={rename.isPending} onClick={() => rename.mutate()}>
            Rename
          </button>
        }
      >
        <div className="field">
          <label htmlFor="session-name">Title</label>
          <input
            id="session-name"
            className="input"
            value={name}
            onChange={(event) => setName(event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && rename.mutate()}
          />
        </div>
        {rename.error === null ? null : <Problem error={rename.error} />}
      </Panel>
      <Confirm
        title="Delete the session?"
        isOpen={panel === "delete"}
        onClose={close}
        word="Delete"
        of={erase}
        onConfirm={() => erase.mutate()}
      >
        <p>It is gone from every list at once. Its log is kept until it is purged.</p>
      </Confirm>
    </>
  )
}
