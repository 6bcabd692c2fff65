import { useSyncExternalStore } from "react"
import { ago } from "./format.logic.ts"

// One clock for all that is on the screen.
const everyMs = 5_000
let now = Date.now()
const listeners = new Set<() => void>()
let timer: number | undefined

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  timer ??= window.setInterval(() => {
    now = Date.now()
    for (const tell of listeners) tell()
  }, everyMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    window.clearInterval(timer)
    timer = undefined
  }
}

/** How long ago something was, and under the pointer exactly when. */
export const Ago = ({ at }: { readonly at: number }) => {
  const current = useSyncExternalStore(subscribe, () => now)
  const date = new Date(at)
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {ago(at, Math.max(current, at))}
    </time>
  )
}
