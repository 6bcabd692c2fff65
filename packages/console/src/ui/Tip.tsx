import { Tooltip } from "@base-ui/react/tooltip"
import type { ReactElement, ReactNode } from "react"

/** A hint at what is under the pointer or has the focus. */
export const Tip = ({ children, text }: { readonly children: ReactElement; readonly text: ReactNode }) => (
  <Tooltip.Root>
    <Tooltip.Trigger render={children as never} delay={350} />
    <Tooltip.Portal>
      <Tooltip.Positioner sideOffset={6}>
        <Tooltip.Popup className="tip">{text}</Tooltip.Popup>
      </Tooltip.Positioner>
    </Tooltip.Portal>
  </Tooltip.Root>
)
