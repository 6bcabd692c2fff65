import { Autocomplete } from "@base-ui/react/autocomplete"
import { Dialog } from "@base-ui/react/dialog"
import { useQueryClient } from "@tanstack/react-query"
import { CornerDownLeft } from "lucide-react"
import { useMemo, useState } from "react"
import { type Action, useAllActions } from "../registry/actions.ts"
import { recentSessions } from "../sessions/recent.ts"
import { Keys } from "../ui/Keys.tsx"
import { useGo } from "./links.tsx"
import { find } from "./palette.logic.ts"
import "./palette.css"

const shownMax = 40

const Palette = ({ onClose }: { readonly onClose: () => void }) => {
  const actions = useAllActions()
  const go = useGo()
  const client = useQueryClient()
  const [wanted, setWanted] = useState("")
  const sessions = useMemo(
    (): ReadonlyArray<Action> =>
      recentSessions(client).map(({ agent, id, title }) => ({
        id,
        title: title ?? "Untitled session",
        words: `${agent.name} ${id}`,
        section: "Session",
        run: () => go(`sessions/${id}`)
      })),
    [client, go]
  )
  const found = useMemo(
    () => find(wanted, [...actions.filter(({ id }) => id !== "palette"), ...sessions]).slice(0, shownMax),
    [actions, sessions, wanted]
  )
  const run = (action: Action) => {
    onClose()
    // After the dialog has given the focus back, so that an action may take it.
    window.setTimeout(action.run, 0)
  }
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog palette" aria-label="Search or run">
          <Autocomplete.Root
            items={found}
            inline
            open
            autoHighlight="always"
            keepHighlight
            mode="none"
            value={wanted}
            onValueChange={setWanted}
            itemToStringValue={(action: Action) => action.title}
          >
            <Autocomplete.Input
              className="palette-input"
              placeholder="Search or run anything"
              aria-label="Search or run"
            />
            <Autocomplete.Empty className="palette-empty">
              {found.length === 0 ? "Nothing is called so." : null}
            </Autocomplete.Empty>
            <Autocomplete.List className="palette-list">
              {(action: Action) => (
                <Autocomplete.Item key={action.id} value={action} className="palette-item" onClick={() => run(action)}>
                  <span className="cut">{action.title}</span>
                  <span className="faint">{action.section}</span>
                  {action.keys === undefined ? <CornerDownLeft size={12} aria-hidden /> : <Keys of={action.keys} />}
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
export default Palette
