import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from "@modelcontextprotocol/client"
import { Effect, type Scope, Stream } from "effect"
import type { OutputChunk, Process } from "../sandbox/Sandbox.ts"
import { mcpLimits } from "./limits.ts"
import { Lines } from "./Lines.ts"

export interface ProcessTransportOptions {
  /** A line that the process wrote, and that is no message: of its standard error, or garbage. */
  readonly onLine: (line: string) => void
  readonly lineBytesMax?: number
}

/** Messages of JSON-RPC, one a line, over a process of the sandbox. What the process has said last is kept for errors. */
export interface ProcessTransport extends Transport {
  readonly said: () => string
}

export const processTransport = Effect.fnUntraced(function* (
  process: Process,
  { lineBytesMax = mcpLimits.messageBytesMax, onLine }: ProcessTransportOptions
): Effect.fn.Return<ProcessTransport, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const context = yield* Effect.context()
  const fork = Effect.runForkWith(context)
  const run = Effect.runPromiseWith(context)
  let isClosed = false
  let said = ""

  const aside = (line: string) => {
    said = `${said}${line}\n`.slice(-mcpLimits.stderrLength)
    onLine(line)
  }
  const closed = () => {
    if (isClosed) return
    isClosed = true
    transport.onclose?.()
  }
  const receive = (line: Buffer) => {
    const text = line.toString("utf8").trim()
    if (text === "") return
    const message = messageOf(text)
    if (message === undefined) aside(text)
    else transport.onmessage?.(message)
  }
  const messages = new Lines(lineBytesMax, receive)
  const errors = new Lines(mcpLimits.logLineLengthMax, (line) => aside(line.toString("utf8").trimEnd()), "cut")

  const take = ({ bytes, stream }: OutputChunk) =>
    Effect.suspend(() => {
      if (stream === "stderr") errors.take(bytes)
      else if (!messages.take(bytes)) {
        transport.onerror?.(new Error(`a message of more than ${lineBytesMax} bytes`))
        return process.signal("SIGKILL")
      }
      return Effect.void
    })
  const pump = Stream.runForEach(process.output, take).pipe(
    Effect.andThen(process.ending),
    Effect.tap((ending) => Effect.sync(() => aside(`[the process ended: ${JSON.stringify(ending)}]`))),
    Effect.ensuring(Effect.sync(closed))
  )

  const transport: ProcessTransport = {
    said: () => said.trim(),
    start: async () => void fork(Effect.forkIn(pump, scope)),
    send: async (message) => {
      if (isClosed) throw new Error("the process has ended")
      await run(process.write(Buffer.from(`${JSON.stringify(message)}\n`)))
    },
    close: async () => {
      if (isClosed) return
      await run(
        process.closeInput.pipe(
          Effect.andThen(Effect.timeoutOption(process.ending, mcpLimits.closeMs)),
          Effect.andThen(process.signal("SIGKILL"))
        )
      )
      closed()
    }
  }
  return transport
})

const messageOf = (text: string): JSONRPCMessage | undefined => {
  try {
    return parseJSONRPCMessage(JSON.parse(text))
  } catch {
    return undefined
  }
}
