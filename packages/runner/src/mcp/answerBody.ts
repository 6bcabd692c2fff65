import type { IncomingMessage } from "node:http"
import { EventBounds } from "./EventBounds.ts"
import { mcpLimits } from "./limits.ts"

export type MessageId = string | number

/** What stands in an answer that we wrote ourselves, since the server's will not come. */
export const lostAnswer = { connection: "lost" } as const

export interface AnswerBody {
  readonly body: ReadableStream<Uint8Array>
  /** Nobody waits for the answer any more. */
  readonly cancel: () => void
}

/**
 * The body of an answer to a message, read no faster than it is taken, and bounded: a stream of events by each event, else as
 * a whole. The SDK leaves a call waiting whose stream ends without an answer, or takes the stream up again if its events had
 * ids. Where nothing more can come, the stream ends with an answer that says so.
 */
export const answerBody = (answer: IncomingMessage, id: MessageId | undefined): AnswerBody => {
  const isEvents = /^\s*text\/event-stream\b/i.test(answer.headers["content-type"] ?? "")
  const bounds = new EventBounds(isEvents)
  let controller: ReadableStreamDefaultController<Uint8Array>
  let isOver = false

  const over = (how: () => void) => {
    if (isOver) return
    isOver = true
    how()
    answer.destroy()
  }
  /** `resumable`: the SDK may ask for what follows the last event. */
  const lose = (detail: string, resumable: boolean) =>
    over(() => {
      if (!isEvents) return controller.error(new Error(detail))
      if (id !== undefined && !(resumable && bounds.hasIds)) {
        const error = { code: -32_000, message: detail, data: lostAnswer }
        controller.enqueue(Buffer.from(`\n\ndata: ${JSON.stringify({ jsonrpc: "2.0", id, error })}\n\n`))
      }
      return controller.close()
    })
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
      answer.on("data", (chunk: Buffer) => {
        if (isOver) return
        if (bounds.take(chunk) > mcpLimits.messageBytesMax) {
          lose(`the server sent a message of more than ${mcpLimits.messageBytesMax} bytes`, false)
          return
        }
        given.enqueue(new Uint8Array(chunk))
        if ((given.desiredSize ?? 0) <= 0) answer.pause()
      })
      answer.once("end", () =>
        isEvents ? lose("the server ended its answer before it was there", true) : over(() => given.close())
      )
      answer.on("error", () => lose("the connection broke", true))
      answer.once("close", () => lose("the connection broke", true))
    },
    pull: () => void answer.resume(),
    cancel: () => over(() => {})
  })
  return { body, cancel: () => lose("the call was cancelled", false) }
}
