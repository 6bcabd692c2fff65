import { FitAddon } from "@xterm/addon-fit"
import { Terminal } from "@xterm/xterm"
import "@xterm/xterm/css/xterm.css"
import { useEffect, useRef, useState } from "react"
import { Problem } from "../ui/Problem.tsx"
import { endingText } from "./terminal.logic.ts"
import { type Standing, TerminalLink } from "./TerminalLink.ts"
import { onThemeChange, themeOf } from "./terminalTheme.ts"

/** What takes the keyboard out of a terminal: all else is typed into it. */
export const wayOut = "F6"

interface Shown {
  readonly terminal: Terminal
  readonly link: TerminalLink
  readonly fit: () => void
}

const encoder = new TextEncoder()
const fontSize = 12.5

/** A screen in an element, with a link to what it shows. */
const begin = (
  box: HTMLElement,
  sessionId: string,
  terminalId: string | null,
  told: {
    readonly named: (id: string) => void
    readonly stands: (standing: Standing) => void
    readonly out: () => void
  }
): Shown & { readonly end: () => void } => {
  const { fontFamily } = getComputedStyle(box)
  const terminal = new Terminal({
    fontFamily: "monospace",
    fontSize,
    lineHeight: 1.25,
    scrollback: 10_000,
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    minimumContrastRatio: 4.5,
    theme: themeOf(box)
  })
  const fitting = new FitAddon()
  terminal.loadAddon(fitting)
  terminal.open(box)
  const fit = () => {
    // What is not on the screen has no size.
    if (box.offsetParent !== null) fitting.fit()
  }
  fit()
  let isHere = true
  // Signs are measured once, so that has to be in the font that they are drawn in.
  void document.fonts.load(`${fontSize}px ${fontFamily}`).then(() => {
    if (!isHere) return
    terminal.options.fontFamily = fontFamily
    fit()
  })
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.key !== wayOut) return true
    if (event.type === "keydown") told.out()
    return false
  })
  const link = new TerminalLink(sessionId, terminalId, {
    show: (bytes) => terminal.write(bytes),
    clear: () => terminal.reset(),
    size: () => ({ columns: terminal.cols, rows: terminal.rows }),
    named: told.named,
    stands: told.stands
  })
  terminal.onData((text) => link.type(encoder.encode(text)))
  terminal.onBinary((text) => link.type(Uint8Array.from(text, (sign) => sign.charCodeAt(0))))
  terminal.onResize(({ cols, rows }) => link.resize({ columns: cols, rows }))
  const sized = new ResizeObserver(fit)
  sized.observe(box)
  const unthemed = onThemeChange(() => {
    terminal.options.theme = themeOf(box)
  })
  return {
    terminal,
    link,
    fit,
    end: () => {
      isHere = false
      sized.disconnect()
      unthemed()
      link.leave()
      terminal.dispose()
    }
  }
}

const Bar = ({ onAgain, standing }: { readonly standing: Standing; readonly onAgain: () => void }) => {
  switch (standing._tag) {
    case "Open":
      return null
    case "Dialing":
      return (
        <p className="terminal-bar faint" role="status">
          Connecting …
        </p>
      )
    case "Away":
      return (
        <p className="terminal-bar warn" role="status">
          Connecting again; the terminal goes on. {standing.why}
        </p>
      )
    case "Ended":
      return (
        <p className="terminal-bar" role="status">
          {endingText(standing.ending)}
        </p>
      )
    case "Refused":
      return (
        <div className="terminal-bar">
          <Problem error={standing.problem} onRetry={onAgain} />
        </div>
      )
  }
}

/** One terminal: its screen, and how it stands. */
export const TerminalPane = (props: {
  readonly sessionId: string
  readonly terminalId: string | null
  readonly name: string
  readonly isShown: boolean
  readonly isRead: boolean
  readonly onNamed: (id: string) => void
  readonly onOut: () => void
  /** Gives the way to end it, while it is there. */
  readonly onLink: (close: (() => void) | null) => void
}) => {
  const { isRead, isShown, name, sessionId } = props
  const box = useRef<HTMLDivElement>(null)
  const shown = useRef<Shown | null>(null)
  const latest = useRef(props)
  latest.current = props
  const [standing, setStanding] = useState<Standing>({ _tag: "Dialing" })

  useEffect(() => {
    const { end, ...made } = begin(box.current!, sessionId, latest.current.terminalId, {
      named: (id) => latest.current.onNamed(id),
      stands: setStanding,
      out: () => latest.current.onOut()
    })
    shown.current = made
    latest.current.onLink(() => made.link.close())
    return () => {
      latest.current.onLink(null)
      shown.current = null
      end()
    }
  }, [sessionId])

  useEffect(() => {
    if (!isShown) return
    shown.current?.fit()
    shown.current?.terminal.focus()
  }, [isShown])

  useEffect(() => {
    if (shown.current !== null) shown.current.terminal.options.screenReaderMode = isRead
  }, [isRead])

  return (
    <section className="terminal-pane" aria-label={name} hidden={!isShown}>
      <Bar standing={standing} onAgain={() => shown.current?.link.again()} />
      <div ref={box} className="terminal-screen mono" data-standing={standing._tag} />
    </section>
  )
}
