import { setTheme, themes, useTheme } from "../app/theme.ts"
import type { Action } from "./actions.ts"

/** Something that everybody sets for their own browser. Said once: the settings panel and the palette both read it. */
export interface Setting {
  readonly id: string
  readonly title: string
  /** Words that find it, beside its title. */
  readonly words?: string
  readonly options: ReadonlyArray<{ readonly value: string; readonly title: string }>
  /** A hook that tells which of them holds. */
  readonly useValue: () => string
  readonly set: (value: string) => void
}

const titles = { system: "Like the system", light: "Light", dark: "Dark" } as const

export const settings: ReadonlyArray<Setting> = [
  {
    id: "theme",
    title: "Theme",
    words: "dark light appearance",
    options: themes.map((value) => ({ value, title: titles[value] })),
    useValue: useTheme,
    set: (value) => setTheme(themes.find((one) => one === value) ?? "system")
  }
]

/** What the palette finds of them: each way that each of them can be. */
export const settingActions = (all: ReadonlyArray<Setting>): ReadonlyArray<Action> =>
  all.flatMap(({ id, options, set, title, words = "" }) =>
    options.map((option) => ({
      id: `${id}-${option.value}`,
      title: `${title}: ${option.title.toLowerCase()}`,
      section: "Settings",
      words,
      run: () => set(option.value)
    }))
  )
