import { Check, Copy, type LucideIcon } from "lucide-react"
import { useState } from "react"
import { copyText } from "./clipboard.ts"

export const CopyButton = (props: { readonly label?: string; readonly text: string; readonly icon?: LucideIcon }) => {
  const { icon: Icon = Copy, label = "Copy", text } = props
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await copyText(text)
    setCopied(true)
    window.setTimeout(() => setCopied(false), 1_500)
  }
  return (
    <button type="button" className="button quiet only-icon" aria-label={isCopied ? "Copied" : label} onClick={copy}>
      {isCopied ? <Check size={14} /> : <Icon size={14} />}
    </button>
  )
}
