import { useSyncExternalStore } from "react"

export const themes = ["system", "light", "dark"] as const
export type Theme = (typeof themes)[number]

const place = "troupe.theme"
const listeners = new Set<() => void>()

const read = (): Theme => {
  try {
    return themes.find((one) => one === localStorage.getItem(place)) ?? "system"
  } catch {
    return "system"
  }
}
let theme: Theme = read()

export const applyTheme = (): void => {
  if (theme === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = theme
}

export const setTheme = (next: Theme): void => {
  theme = next
  try {
    localStorage.setItem(place, next)
  } catch {
    // Then it holds for this page.
  }
  applyTheme()
  for (const listener of listeners) listener()
}

export const useTheme = (): Theme =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => theme
  )
