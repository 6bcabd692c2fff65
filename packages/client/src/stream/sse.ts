import { ConnectionError } from "../errors.ts"

/** One server-sent event. */
export interface SseMessage {
  readonly event: string
  readonly data: string
  readonly id: string
}

/** More than any event of ours may have: what is longer is no event. */
const lineMax = 64 * 1_024 * 1_024

/** Makes messages of text that comes in pieces. What a cut leaves unfinished is never given out. */
export class SseDecoder {
  #rest = ""
  #event = ""
  #data: Array<string> = []
  #id = ""

  push(text: string): ReadonlyArray<SseMessage> {
    const all = this.#rest + text
    // A carriage return at the end may be half of a line's end.
    const whole = all.endsWith("\r") ? all.slice(0, -1) : all
    const lines = whole.split(/\r\n|\n|\r/)
    this.#rest = lines.pop()! + all.slice(whole.length)
    if (this.#rest.length > lineMax) throw new ConnectionError("The server sent a line that has no end")
    return lines.flatMap((line) => this.#line(line))
  }

  #line(line: string): ReadonlyArray<SseMessage> {
    if (line === "") return this.#end()
    const at = line.indexOf(":")
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "")
    if (field === "event") this.#event = value
    else if (field === "data") this.#data.push(value)
    else if (field === "id") this.#id = value
    return []
  }

  #end(): ReadonlyArray<SseMessage> {
    const message = { event: this.#event, data: this.#data.join("\n"), id: this.#id }
    const isEmpty = this.#data.length === 0
    this.#event = ""
    this.#data = []
    return isEmpty ? [] : [message]
  }
}

const heard = <A>(reading: Promise<A>, withinMs: number): Promise<A> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ConnectionError(`Nothing was heard for ${withinMs} ms`)), withinMs)
    const broke = (cause: unknown) => reject(new ConnectionError("The connection broke", { cause }))
    void reading.then(resolve, broke).finally(() => clearTimeout(timer))
  })

/** The messages of a connection, until it ends, breaks, is aborted or falls silent. */
export async function* readSse(
  body: ReadableStream<Uint8Array>,
  heartbeatTimeout: number,
  signal: AbortSignal
): AsyncGenerator<SseMessage, void, undefined> {
  const reader = body.getReader()
  const stop = () => void reader.cancel().catch(() => undefined)
  signal.addEventListener("abort", stop)
  const text = new TextDecoder()
  const decoder = new SseDecoder()
  try {
    while (!signal.aborted) {
      const { done, value } = await heard(reader.read(), heartbeatTimeout)
      if (done) return
      yield* decoder.push(text.decode(value, { stream: true }))
    }
  } finally {
    signal.removeEventListener("abort", stop)
    stop()
  }
}
