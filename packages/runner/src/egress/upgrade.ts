import { Effect } from "effect"
import { type ClientRequest, type IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { EgressProblem } from "./answers.ts"
import { note, type Onward, outgoing, type Passed, problemOf } from "./exchange.ts"
import { passedOn } from "./headers.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"

/** What became of a request to go on in another protocol. */
export type Upgraded =
  | { readonly _tag: "Switched"; readonly upstream: Socket }
  /** The other side answered as to any request, and that was passed back. */
  | { readonly _tag: "Answered" }

const head = (answer: IncomingMessage) => {
  const lines = Object.entries({ ...passedOn(answer), connection: "Upgrade", upgrade: answer.headers.upgrade })
  const text = lines.flatMap(([name, value]) => [value ?? []].flat().map((each) => `${name}: ${String(each)}\r\n`))
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${text.join("")}\r\n`
}

/** Passes on a request for a WebSocket, or whatever the two agree on. The bytes after it are the caller's to pass. */
export const upgrade = (incoming: IncomingMessage, client: Socket, onward: Onward, passed: Passed) =>
  Effect.callback<Upgraded, EgressProblem>((resume) => {
    const fail = (problem: EgressProblem) => resume(Effect.fail(problem))
    let request: ClientRequest
    try {
      request = outgoing(incoming, onward, { connection: "Upgrade", upgrade: incoming.headers.upgrade ?? null })
    } catch {
      fail(new EgressRefused({ code: "request_invalid", ...onward.asked, detail: "the request can't be passed on" }))
      return undefined
    }
    request.setTimeout(onward.idleMs, () => request.destroy(Object.assign(new Error(), { code: "ETIMEDOUT" })))
    request.on("error", (error: NodeJS.ErrnoException) => fail(problemOf(error, onward.asked)))
    request.on("upgrade", (answer, upstream, first) => {
      passed.status = answer.statusCode ?? null
      client.write(head(answer))
      if (first.length > 0) client.write(first)
      resume(Effect.succeed({ _tag: "Switched", upstream: upstream as Socket }))
    })
    request.on("response", (answer) => {
      passed.status = answer.statusCode ?? null
      const response = new ServerResponse(incoming)
      response.shouldKeepAlive = false
      response.assignSocket(client)
      response.writeHead(answer.statusCode ?? 502, passedOn(answer))
      answer.on("error", () => client.destroy())
      response.on("finish", () => client.end())
      answer.pipe(response)
      client.once("close", () => resume(Effect.succeed({ _tag: "Answered" })))
    })
    client.once("close", () => request.destroy())
    note(request, passed)
    request.end()
    return Effect.sync(() => request.destroy())
  })
