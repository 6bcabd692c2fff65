import { ApiError, type TerminalQuery } from "@troupe/client"
import { isLasting } from "../api/lasting.logic.ts"
import { troupe } from "../api/troupe.ts"
import { type Ending, pauseAfter, piecesOf, placeOf, type Size, type Told } from "./terminal.logic.ts"

/** How a terminal stands for whoever looks at it. */
export type Standing =
  | { readonly _tag: "Dialing" }
  | { readonly _tag: "Open" }
  /** It goes on, and is dialled again. */
  | { readonly _tag: "Away"; readonly why: string | null }
  | { readonly _tag: "Ended"; readonly ending: Ending }
  | { readonly _tag: "Refused"; readonly problem: unknown }

export interface Screen {
  readonly show: (bytes: Uint8Array) => void
  /** What comes next does not follow on what is shown. */
  readonly clear: () => void
  readonly size: () => Size
  readonly named: (terminalId: string) => void
  readonly stands: (standing: Standing) => void
}

/** What a server closes a socket with that said what it can't read, or whose key opens nothing any more. */
const [garbage, revoked] = [4400, 4401]

const misunderstood = () => new Error("The server did not understand the terminal.")

/** One terminal over WebSockets: dialled again when its connection breaks, from the byte on that was seen last. */
export class TerminalLink {
  readonly #sessionId: string
  readonly #screen: Screen
  #id: string | null
  #seen = 0
  #socket: WebSocket | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #isOver = false
  #isLeft = false
  #isClosing = false

  constructor(sessionId: string, terminalId: string | null, screen: Screen) {
    this.#sessionId = sessionId
    this.#id = terminalId
    this.#screen = screen
    void this.#dial()
  }

  type(bytes: Uint8Array): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    for (const piece of piecesOf(bytes)) this.#socket.send(piece as Uint8Array<ArrayBuffer>)
  }

  resize({ columns, rows }: Size): void {
    this.#tell({ type: "resize", columns, rows })
  }

  /** Ends the terminal with all that runs in it. */
  close(): void {
    this.#isClosing = true
    this.#isLeft = true
    clearTimeout(this.#timer)
    if (this.#isOver) return
    if (this.#socket?.readyState === WebSocket.OPEN && this.#id !== null) this.#tell({ type: "close" })
    else if (this.#socket?.readyState !== WebSocket.CONNECTING && this.#id !== null) void this.#dial()
  }

  /** Looks at it no more. It goes on, unless nobody would know how to come back to it. */
  leave(): void {
    this.#isLeft = true
    clearTimeout(this.#timer)
    if (this.#isClosing || this.#id === null) return
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.close()
  }

  again(): void {
    this.#isOver = false
    this.#failures = 0
    void this.#dial()
  }

  #tell(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  async #dial(): Promise<void> {
    const place = placeOf(this.#id, this.#seen, this.#screen.size())
    if (!this.#isLeft) this.#screen.stands({ _tag: "Dialing" })
    const socket = await troupe.sessions.place.terminal(this.#sessionId, place)
    let isOpened = false
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== "string") {
        const bytes = new Uint8Array(data)
        this.#seen += bytes.length
        if (!this.#isLeft) this.#screen.show(bytes)
        return
      }
      const told = JSON.parse(data) as Told
      if (told.type === "opened") {
        isOpened = true
        this.#opened(told.terminal_id)
      } else if (told.type === "at") this.#at(told.offset)
      else this.#end({ _tag: "Ended", ending: told.ending })
    })
    socket.addEventListener("close", ({ code }) => {
      if (this.#isLeft || this.#isOver || socket !== this.#socket) return
      if (code === garbage) this.#end({ _tag: "Refused", problem: misunderstood() })
      else if (isOpened && code !== revoked) this.#later(null)
      else void this.#ask(place)
    })
  }

  #opened(terminalId: string): void {
    const isNew = this.#id === null
    this.#id = terminalId
    if (this.#isLeft) {
      // One that nobody has seen yet would run on with nobody who knows of it.
      if (isNew || this.#isClosing) this.#tell({ type: "close" })
      else this.#socket?.close()
      return
    }
    this.#failures = 0
    if (isNew) this.#screen.named(terminalId)
    this.#screen.stands({ _tag: "Open" })
    this.resize(this.#screen.size())
  }

  #at(offset: number): void {
    if (offset !== this.#seen) this.#screen.clear()
    this.#seen = offset
  }

  #end(standing: Standing): void {
    this.#isOver = true
    if (!this.#isLeft) this.#screen.stands(standing)
  }

  async #ask(place: TerminalQuery): Promise<void> {
    const problem = await troupe.sessions.place.checkTerminal(this.#sessionId, place, { maxRetries: 0 }).then(
      () => null,
      (error: unknown) => error
    )
    if (this.#isLeft) return
    if (isLasting(problem)) this.#end({ _tag: "Refused", problem })
    else this.#later(problem instanceof ApiError ? problem.message : null)
  }

  #later(why: string | null): void {
    this.#screen.stands({ _tag: "Away", why })
    this.#timer = setTimeout(() => this.#dial(), pauseAfter(this.#failures++))
  }
}
