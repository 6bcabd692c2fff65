import { setTheme, themes, useTheme } from "../app/theme.ts"
import type { Setting } from "./settings.logic.ts"

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
