import { Dialog } from "@base-ui/react/dialog"
import type { Content } from "@troupe/domain/session/Content"
import { FileText, ImageOff, Paperclip, X } from "lucide-react"
import { useState } from "react"
import { type Attachment, attachedTo, picturesOf } from "./attached.logic.ts"
import "./attached.css"

/** A picture in a line's size, which opens in its own. */
const Picture = ({ of, source }: { readonly source: string; readonly of: string }) => {
  const [isGone, setGone] = useState(false)
  if (isGone) {
    return (
      <span className="badge">
        <ImageOff size={11} aria-hidden /> A picture that is not there any more
      </span>
    )
  }
  return (
    <Dialog.Root>
      <Dialog.Trigger className="picture" aria-label={`${of}: open it`}>
        <img src={source} alt={of} decoding="async" onError={() => setGone(true)} />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="picture-large" aria-label={of}>
          <img src={source} alt={of} />
          <Dialog.Close className="button only-icon" aria-label="Close">
            <X size={15} />
          </Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

/** The pictures that came with something. */
export const Pictures = ({ content, of }: { readonly content: Content; readonly of: string }) => {
  const sources = picturesOf(content)
  if (sources.length === 0) return null
  return (
    <span className="pictures">
      {sources.map((source, index) => (
        <Picture key={index} source={source} of={of} />
      ))}
    </span>
  )
}

const Badge = ({ attachment: { href, kind, name } }: { readonly attachment: Attachment }) => {
  const Icon = kind === "PDF" ? FileText : Paperclip
  const words = (
    <>
      <Icon size={11} aria-hidden /> <span className="cut">{name}</span>
      {kind === null ? null : <span className="faint">{kind}</span>}
    </>
  )
  return href === null ? (
    <span className="badge attachment">{words}</span>
  ) : (
    <a className="badge attachment" href={href} download={name}>
      {words}
    </a>
  )
}

/** All that came with a message: pictures as what they are, and others by their names. */
export const Attached = ({ content }: { readonly content: Content }) => (
  <>
    <Pictures content={content} of="Attached picture" />
    {attachedTo(content).map((attachment, index) => (
      <Badge key={index} attachment={attachment} />
    ))}
  </>
)
