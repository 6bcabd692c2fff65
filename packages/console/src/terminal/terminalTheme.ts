import type { ITheme } from "@xterm/xterm"

const tokens = {
  background: "--sunken",
  foreground: "--text",
  cursor: "--text",
  cursorAccent: "--sunken",
  black: "--text-faint",
  brightBlack: "--text-faint",
  red: "--bad",
  brightRed: "--bad",
  green: "--good",
  brightGreen: "--good",
  yellow: "--warn",
  brightYellow: "--warn",
  blue: "--accent",
  brightBlue: "--accent",
  magenta: "--magenta",
  brightMagenta: "--magenta",
  cyan: "--cyan",
  brightCyan: "--cyan",
  white: "--text",
  brightWhite: "--text",
  selectionBackground: "--selection"
} as const satisfies ITheme

/** The colours of the page as they are now, for what draws by itself. */
export const themeOf = (element: HTMLElement): ITheme => {
  const probe = document.createElement("span")
  element.append(probe)
  const colours = Object.entries(tokens).map(([name, token]) => {
    probe.style.color = `var(${token})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(colours) as ITheme
}

/** Tells whenever the page changes between light and dark. */
export const onThemeChange = (changed: () => void): (() => void) => {
  const system = matchMedia("(prefers-color-scheme: dark)")
  const chosen = new MutationObserver(changed)
  system.addEventListener("change", changed)
  chosen.observe(document.documentElement, { attributeFilter: ["data-theme"] })
  return () => {
    system.removeEventListener("change", changed)
    chosen.disconnect()
  }
}
