import { Menu } from "@base-ui/react/menu"
import { Check, Code } from "lucide-react"
import { useMemo, useState } from "react"
import { useActions } from "../registry/actions.ts"
import { copyText } from "../ui/clipboard.ts"
import { type Asked, copiesOf } from "./copies.logic.ts"

const shownMs = 1_500

/** What the page shows, to be asked for by a program, in a terminal, by anything. */
export const CopyAs = ({ asked }: { readonly asked: Asked }) => {
  const [isCopied, setCopied] = useState(false)
  const key = JSON.stringify(asked)
  const ways = useMemo(() => copiesOf(JSON.parse(key) as Asked, window.location.origin), [key])
  const actions = useMemo(
    () =>
      ways.map(({ text, title }) => ({
        id: `copy-${title}`,
        title: `Copy as ${title === "Command line" ? "a command line" : title}`,
        section: "Copy",
        words: "api sdk cli program",
        run: () => {
          void copyText(text).then(() => {
            setCopied(true)
            window.setTimeout(() => setCopied(false), shownMs)
          })
        }
      })),
    [ways]
  )
  useActions(actions)
  return (
    <Menu.Root>
      <Menu.Trigger className="button quiet only-icon" aria-label={isCopied ? "Copied" : "Copy as"} title="Copy as">
        {isCopied ? <Check size={15} /> : <Code size={15} />}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4}>
          <Menu.Popup className="menu">
            <Menu.Group>
              <Menu.GroupLabel className="group-label">Copy as</Menu.GroupLabel>
              {ways.map(({ title }, index) => (
                <Menu.Item key={title} onClick={actions[index]!.run}>
                  {title}
                </Menu.Item>
              ))}
            </Menu.Group>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}
