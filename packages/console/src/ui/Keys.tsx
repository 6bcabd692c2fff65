import { drawn } from "../registry/keys.logic.ts"

const isMac = navigator.platform.startsWith("Mac")

/** Keys as they stand on the keyboard. The action they belong to says them to screen readers. */
export const Keys = ({ of }: { readonly of: string }) => (
  <span className="key" aria-hidden>
    {drawn(of, isMac).flatMap((press, index) => press.map((sign) => <kbd key={`${index}${sign}`}>{sign}</kbd>))}
  </span>
)
