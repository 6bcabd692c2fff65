import { Menu } from "@base-ui/react/menu"
import { useMemo, useState } from "react"
import { useActions } from "../registry/actions.ts"
import { copyText } from "../ui/clipboard.ts"
import type { Copy } from "./copies.logic.ts"

const shownMs = 1_500

interface CopyAction {
  readonly id: string
  readonly title: string
  readonly section: string
  readonly words: string
  /** As a menu says it that is about copies. */
  readonly kind: string
  readonly run: () => void
}

const titleOf = (kind: string): string => {
  if (kind === "Command line") return "Copy as a command line"
  return kind.endsWith("id") ? `Copy the ${kind.toLowerCase()}` : `Copy as ${kind}`
}

/** Ways to have what is on the screen elsewhere: in the palette too, for as long as they are there. */
export const useCopies = (ways: ReadonlyArray<Copy>) => {
  const [isCopied, setCopied] = useState(false)
  const actions = useMemo(
    (): ReadonlyArray<CopyAction> =>
      ways.map(({ text, title }) => ({
        id: `copy-${title}`,
        title: titleOf(title),
        section: "Copy",
        words: "api sdk cli program",
        kind: title,
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
  return { actions, isCopied }
}

/** The same as a part of a menu. */
export const CopyItems = ({ actions }: { readonly actions: ReadonlyArray<CopyAction> }) => (
  <Menu.Group>
    <Menu.GroupLabel className="group-label">Copy as</Menu.GroupLabel>
    {actions.map(({ kind, run }) => (
      <Menu.Item key={kind} onClick={run}>
        {kind}
      </Menu.Item>
    ))}
  </Menu.Group>
)
