import { Effect } from "effect"
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse
} from "node:http"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import type { EgressProblem } from "./answers.ts"
import { hasBody, passedOn } from "./headers.ts"
import { formatHost } from "@troupe/domain/network/hosts"
import type { HeaderChanges } from "./Interception.ts"
import { Unreachable } from "./Outbound.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { addressOf } from "./UpstreamAgent.ts"

/** A request as it goes on. */
export interface Onward {
  readonly asked: Endpoint
  readonly path: string
  /** Of the scheme, which a Host header leaves out. */
  readonly defaultPort: number
  readonly changes: HeaderChanges
  readonly agent: Agent
  readonly idleMs: number
  readonly headerBytesMax: number
}

/** What passed so far, for the record. */
export interface Passed {
  bytesUp: number
  bytesDown: number
  status: number | null
  address: string | null
}

export type ExchangeEnd = "done" | "broken" | "stale"

const hostHeader = ({ asked, defaultPort }: Onward) =>
  asked.port === defaultPort ? formatHost(asked.host) : `${formatHost(asked.host)}:${asked.port}`

/** The request to the other side, with nothing of it sent yet but its head. */
export const outgoing = (incoming: IncomingMessage, onward: Onward, extra: HeaderChanges = {}): ClientRequest =>
  httpRequest({
    agent: onward.agent,
    host: onward.asked.host,
    port: onward.asked.port,
    method: incoming.method,
    path: onward.path,
    setHost: false,
    maxHeaderSize: onward.headerBytesMax,
    headers: passedOn(incoming, {
      ...onward.changes,
      // What the address says counts, so that no virtual host is reached that the policy was not asked about.
      host: hostHeader(onward),
      // Without it, Node sends the body of a DELETE without saying where it ends.
      ...(incoming.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" }),
      ...extra
    })
  })

export const problemOf = (error: NodeJS.ErrnoException & Partial<EgressProblem>, asked: Endpoint): EgressProblem => {
  if (error instanceof EgressRefused || error instanceof Unreachable) return error
  const reason = error.code === "ETIMEDOUT" ? "timeout" : error.code?.startsWith("E") === true ? "connect" : "protocol"
  return new Unreachable({ ...asked, reason, detail: error.code ?? "the connection failed" })
}

/** Writes down where the request went, once it has a connection. */
export const note = (request: ClientRequest, passed: Passed): void => {
  request.once("socket", (socket) => {
    passed.address = addressOf(socket) ?? null
  })
}

const timedOut = (ms: number) => Object.assign(new Error(`nothing came for ${ms} ms`), { code: "ETIMEDOUT" })

/**
 * Passes one request on and its answer back. Fails while the answer can still be one of ours; once it has begun, a trouble
 * cuts it. `stale`: a connection that was kept had ended meanwhile, and nothing of the request was heard.
 */
export const exchange = (incoming: IncomingMessage, response: ServerResponse, onward: Onward, passed: Passed) =>
  Effect.callback<ExchangeEnd, EgressProblem>((resume) => {
    const end = (how: ExchangeEnd) => resume(Effect.succeed(how))
    const fail = (problem: EgressProblem) => resume(Effect.fail(problem))
    if (response.closed) {
      end("broken")
      return undefined
    }
    let request: ClientRequest
    try {
      request = outgoing(incoming, onward)
    } catch {
      fail(new EgressRefused({ code: "request_invalid", ...onward.asked, detail: "the request can't be passed on" }))
      return undefined
    }
    const isRepeatable = !hasBody(incoming) && ["GET", "HEAD", "OPTIONS"].includes(incoming.method ?? "")

    let answered: IncomingMessage | undefined

    const pass = (answer: IncomingMessage) => {
      answered = answer
      try {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", passedOn(answer))
      } catch {
        request.destroy(Object.assign(new Error("the answer can't be passed on"), { code: "HPE_INVALID" }))
        return
      }
      passed.status = answer.statusCode ?? null
      answer.on("data", (chunk: Buffer) => (passed.bytesDown += chunk.length))
      // Cut, so that the other end does not take it for whole.
      answer.on("error", () => response.destroy())
      answer.pipe(response)
    }

    // The date, if there is one, is the other side's.
    response.sendDate = false
    request.setTimeout(onward.idleMs, () => request.destroy(timedOut(onward.idleMs)))
    note(request, passed)
    request.on("response", pass)
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (response.headersSent) {
        // An answer that came whole counts, also where the rest of the request was not wanted.
        if (answered?.complete !== true) response.destroy()
        return
      }
      const isStale = request.reusedSocket && isRepeatable && (error.code === "ECONNRESET" || error.code === "EPIPE")
      if (isStale) end("stale")
      else fail(problemOf(error, onward.asked))
    })
    response.on("close", () => {
      request.destroy()
      end(response.writableFinished ? "done" : "broken")
      // An answer that came before all was read: what still comes is read for nothing, so that the answer is not lost.
      incoming.unpipe(request)
      incoming.resume()
    })
    if (hasBody(incoming)) {
      incoming.on("data", (chunk: Buffer) => (passed.bytesUp += chunk.length))
      incoming.on("error", () => request.destroy())
      incoming.pipe(request)
    } else {
      request.end()
    }
    return Effect.sync(() => {
      request.destroy()
      response.destroy()
    })
  })
