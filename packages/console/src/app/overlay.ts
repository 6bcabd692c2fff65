import { useSyncExternalStore } from "react"

/** What lies over the page: at most one of these at a time. */
export type Overlay = "palette" | "help" | "settings" | "menu"

let shown: Overlay | null = null
const listeners = new Set<() => void>()

export const show = (next: Overlay | null): void => {
  shown = next
  for (const listener of listeners) listener()
}

export const useOverlay = (): Overlay | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => shown
  )
