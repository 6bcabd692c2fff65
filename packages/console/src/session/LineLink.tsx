import { Check, Link } from "lucide-react"
import { useState } from "react"
import { copyText } from "../ui/clipboard.ts"
import { linkTo } from "./permalink.logic.ts"

const shownMs = 1_500

/**
 * A link from a line to itself. It is there for whoever points at the line; by keyboard, a key copies the link to what is in sight, so
 * that nobody has to step over one at each line.
 */
export const LineLink = (props: {
  readonly page: string
  readonly at: number
  readonly onTaken: (at: number) => void
}) => {
  const { at, onTaken, page } = props
  const [isCopied, setCopied] = useState(false)
  const href = linkTo(page, at)
  return (
    <a
      className={isCopied ? "line-link copied" : "line-link"}
      href={href}
      tabIndex={-1}
      aria-label={isCopied ? "Copied" : `Copy a link to event ${at}`}
      title="Copy a link to this line"
      onClick={(event) => {
        // Elsewhere than here it is opened as any link.
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        void copyText(new URL(href, window.location.origin).href).then(() => {
          setCopied(true)
          window.setTimeout(() => setCopied(false), shownMs)
          onTaken(at)
        })
      }}
    >
      {isCopied ? <Check size={12} aria-hidden /> : <Link size={12} aria-hidden />}
    </a>
  )
}
