import { Effect } from "effect"
import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import { writeProblem } from "./answers.ts"
import type { Errand } from "./attend.ts"
import type { Clients } from "./Clients.ts"
import type { Draft, EgressOutcome } from "./EgressRecord.ts"
import { endTls } from "./endTls.ts"
import { parseAuthority } from "@troupe/domain/network/hosts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import type { SandboxEgress } from "./SandboxEgress.ts"
import { splice, type SpliceEnd } from "./splice.ts"

const outcomes: Record<SpliceEnd, EgressOutcome> = {
  closed: { _tag: "Forwarded" },
  broken: { _tag: "Failed", reason: "broken" },
  idle: { _tag: "Failed", reason: "idle" }
}

const established = "HTTP/1.1 200 Connection established\r\n\r\n"

const closed = (socket: Socket) =>
  Effect.callback<void>((resume) => {
    if (socket.closed) resume(Effect.void)
    else socket.once("close", () => resume(Effect.void))
    return Effect.sync(() => socket.destroy())
  })

/** Passes the bytes of both ends to each other, `head` first, and keeps count. */
export const tunnel = Effect.fnUntraced(function* (
  client: Socket,
  upstream: Socket,
  head: Buffer,
  egress: SandboxEgress,
  draft: Draft
) {
  const [up, down] = [upstream.bytesWritten, upstream.bytesRead]
  if (head.length > 0) upstream.write(head)
  const note = Effect.sync(() => {
    draft.bytesUp = upstream.bytesWritten - up
    draft.bytesDown = upstream.bytesRead - down
  })
  draft.outcome = outcomes[yield* Effect.ensuring(splice(client, upstream, egress.limits), note)]
})

/** A CONNECT: a tunnel for bytes that pass unread, or one whose TLS ends here, where an interception wants that. */
export const connectErrand = (
  egress: SandboxEgress,
  server: Server,
  clients: Clients,
  request: IncomingMessage,
  client: Socket,
  head: Buffer
): Errand => {
  const asked = parseAuthority(request.url ?? "")
  // From here on the socket is ours: an error without a listener would end the process.
  client.on("error", () => {})

  let isEstablished = false
  const establish = (draft: Draft) => {
    isEstablished = true
    draft.status = 200
    client.write(established)
  }

  const work = Effect.fnUntraced(function* (draft: Draft) {
    if (asked === undefined || clients(client).within !== undefined) {
      const detail = "CONNECT names a host and a port, outside of every other tunnel"
      return yield* new EgressRefused({ code: "request_invalid", host: "", port: 0, detail })
    }
    yield* Effect.fromResult(egress.decide(asked))
    const { sandboxId, sessionId } = egress
    const rewrite = yield* egress.interception.intercept({ sessionId, sandboxId, ...asked })
    if (rewrite !== undefined) {
      draft.kind = "intercepted"
      const context = yield* egress.authority.contextFor(asked.host)
      establish(draft)
      const secured = yield* endTls(client, head, asked, context, egress.limits.headersMs)
      clients(secured, { asked, rewrite })
      server.emit("connection", secured)
      return yield* closed(secured)
    }
    const { address, socket } = yield* egress.outbound.dial(asked)
    draft.address = address
    establish(draft)
    yield* tunnel(client, socket, head, egress, draft)
  }, Effect.scoped)

  return {
    kind: "tunnel",
    asked,
    method: "CONNECT",
    isNested: false,
    work,
    answer: (problem) => {
      if (isEstablished) client.destroy()
      else writeProblem(client, problem)
    },
    cut: () => client.destroy()
  }
}
