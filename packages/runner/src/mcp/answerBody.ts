import type { IncomingMessage } from "node:http"
import { mcpLimits } from "./limits.ts"

export interface AnswerBody {
  readonly body: ReadableStream<Uint8Array>
  /** Nobody waits for the answer to this message any more. */
  readonly cancelled: (id: string | number) => void
}

/** The body of an answer, read no faster than it is taken, and bounded: a stream of events by each event, else as a whole. */
export const answerBody = (answer: IncomingMessage): AnswerBody => {
  const isEvents = /^\s*text\/event-stream\b/i.test(answer.headers["content-type"] ?? "")
  const room = new Room(isEvents)
  let controller: ReadableStreamDefaultController<Uint8Array>
  let isOver = false
  const over = (how: () => void) => {
    if (isOver) return
    isOver = true
    how()
    answer.destroy()
  }
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
      answer.on("data", (chunk: Buffer) => {
        if (isOver) return
        if (!room.takes(chunk)) {
          over(() => given.error(new Error(`a message of more than ${mcpLimits.messageBytesMax} bytes`)))
          return
        }
        given.enqueue(new Uint8Array(chunk))
        if ((given.desiredSize ?? 0) <= 0) answer.pause()
      })
      answer.once("end", () => over(() => given.close()))
      answer.on("error", (cause: NodeJS.ErrnoException) => over(() => given.error(cause)))
      answer.once("close", () => over(() => given.error(new Error("the connection broke"))))
    },
    pull: () => void answer.resume(),
    cancel: () => over(() => {})
  })
  return {
    body,
    cancelled: (id) => {
      // A stream that ends without its answer would be taken up again, so it gets one, which nobody waits for.
      const error = { jsonrpc: "2.0", id, error: { code: -32_000, message: "the call was cancelled" } }
      over(() => {
        if (isEvents) controller.enqueue(Buffer.from(`\n\ndata: ${JSON.stringify(error)}\n\n`))
        controller.close()
      })
    }
  }
}

const newline = 10

/** How much of one message has come. */
class Room {
  private readonly isEvents: boolean
  private used = 0
  private isLineEmpty = true

  constructor(isEvents: boolean) {
    this.isEvents = isEvents
  }

  takes(chunk: Buffer): boolean {
    if (this.isEvents) this.skipEvents(chunk)
    else this.used += chunk.length
    return this.used <= mcpLimits.messageBytesMax
  }

  /** An empty line ends an event. Carriage returns are not counted as content of a line. */
  private skipEvents(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = chunk.subarray(from, at)
      const isEmpty = this.isLineEmpty && (line.length === 0 || (line.length === 1 && line[0] === 13))
      this.used = isEmpty ? 0 : this.used + line.length + 1
      this.isLineEmpty = true
      from = at + 1
    }
    const rest = chunk.length - from
    this.used += rest
    if (rest > 0) this.isLineEmpty = rest === 1 && this.isLineEmpty && chunk[from] === 13
  }
}
