import { ApiProblem, asProblem } from "../api/ApiProblem.ts"
import { send } from "../api/http.ts"
import { addressOf, type Ending, piecesOf, type Size, type Told } from "./terminal.logic.ts"
import { pauseAfter } from "../api/pauses.logic.ts"

/** How a terminal stands for whoever looks at it. */
export type Standing =
  | { readonly _tag: "Dialing" }
  | { readonly _tag: "Open" }
  /** It goes on, and is dialled again. */
  | { readonly _tag: "Away"; readonly why: string | null }
  | { readonly _tag: "Ended"; readonly ending: Ending }
  | { readonly _tag: "Refused"; readonly problem: ApiProblem }

export interface Screen {
  readonly show: (bytes: Uint8Array) => void
  /** What comes next does not follow on what is shown. */
  readonly clear: () => void
  readonly size: () => Size
  readonly named: (terminalId: string) => void
  readonly stands: (standing: Standing) => void
}

/** Answered to a request that is no WebSocket, where one would be let in. */
const upgradeRequired = 426
const passing = (status: number) => status === 0 || status === 408 || status === 429 || status >= 500

const signedOut = () => new ApiProblem(401, "authentication_error", "The key behind this login was revoked.", null)
const misunderstood = () => new ApiProblem(0, "console_error", "The server did not understand the terminal.", null)

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
    this.#dial()
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
    else if (this.#socket?.readyState !== WebSocket.CONNECTING && this.#id !== null) this.#dial()
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
    this.#dial()
  }

  #tell(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #address(): string {
    return addressOf(this.#sessionId, this.#id, this.#seen, this.#screen.size())
  }

  #dial(): void {
    const address = this.#address()
    const socket = new WebSocket(address)
    let isOpened = false
    this.#socket = socket
    if (!this.#isLeft) this.#screen.stands({ _tag: "Dialing" })
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
      if (code === 4401) this.#end({ _tag: "Refused", problem: signedOut() })
      else if (code === 4400) this.#end({ _tag: "Refused", problem: misunderstood() })
      else if (isOpened) this.#later(null)
      else void this.#ask(address)
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

  /** A socket that is refused says nothing of why. The same address says it to a request. */
  async #ask(address: string): Promise<void> {
    const problem = await send(address).then(
      () => null,
      (error: unknown) => asProblem(error)
    )
    if (this.#isLeft) return
    if (problem === null || problem.status === upgradeRequired) this.#later(null)
    else if (passing(problem.status)) this.#later(problem.message)
    else this.#end({ _tag: "Refused", problem })
  }

  #later(why: string | null): void {
    this.#screen.stands({ _tag: "Away", why })
    this.#timer = setTimeout(() => this.#dial(), pauseAfter(this.#failures++))
  }
}
