import { Menu } from "@base-ui/react/menu"
import { Check, Code } from "lucide-react"
import { useMemo } from "react"
import { type Asked, copiesOf } from "./copies.logic.ts"
import { CopyItems, useCopies } from "./CopyItems.tsx"

/** What the page shows, to be asked for by a program, in a terminal, by anything. */
export const CopyAs = ({ asked }: { readonly asked: Asked }) => {
  const key = JSON.stringify(asked)
  const ways = useMemo(() => copiesOf(JSON.parse(key) as Asked, window.location.origin), [key])
  const { actions, isCopied } = useCopies(ways)
  return (
    <Menu.Root>
      <Menu.Trigger className="button quiet only-icon" aria-label={isCopied ? "Copied" : "Copy as"} title="Copy as">
        {isCopied ? <Check size={15} /> : <Code size={15} />}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4}>
          <Menu.Popup className="menu">
            <CopyItems actions={actions} />
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}
