import { Dialog } from "@base-ui/react/dialog"
import { X } from "lucide-react"
import type { ReactNode } from "react"

/** A dialog with a title. It takes the focus, gives it back, and ends with Escape. */
export const Panel = (props: {
  readonly title: string
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly children: ReactNode
  readonly footer?: ReactNode
}) => (
  <Dialog.Root open={props.isOpen} onOpenChange={(open) => !open && props.onClose()}>
    <Dialog.Portal>
      <Dialog.Backdrop className="backdrop" />
      <Dialog.Popup className="dialog">
        <header>
          <Dialog.Title>{props.title}</Dialog.Title>
          <Dialog.Close className="button quiet only-icon" aria-label="Close">
            <X size={15} />
          </Dialog.Close>
        </header>
        <div className="body">{props.children}</div>
        {props.footer === undefined ? null : <footer>{props.footer}</footer>}
      </Dialog.Popup>
    </Dialog.Portal>
  </Dialog.Root>
)
