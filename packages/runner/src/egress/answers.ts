import { STATUS_CODES, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type { EgressOutcome } from "./EgressRecord.ts"
import type { Unreachable } from "./Outbound.ts"
import type { EgressRefused } from "@troupe/domain/network/Refusal"

export type EgressProblem = EgressRefused | Unreachable

export const statusOf = (problem: EgressProblem): number => {
  if (problem._tag === "Unreachable") return problem.reason === "timeout" ? 504 : 502
  if (problem.code === "too_many_connections") return 503
  return problem.code === "request_invalid" || problem.code === "host_invalid" ? 400 : 403
}

export const outcomeOf = (problem: EgressProblem): EgressOutcome =>
  problem._tag === "Unreachable" ? { _tag: "Failed", reason: problem.reason } : { _tag: "Refused", code: problem.code }

/** What people find in the output of their program. */
const say = (problem: EgressProblem) => `${problem.message}\n`

const headersOf = (problem: EgressProblem, text: string) => ({
  "content-type": "text/plain; charset=utf-8",
  "content-length": Buffer.byteLength(text),
  "x-troupe-egress": problem._tag === "EgressRefused" ? problem.code : problem.reason,
  connection: "close"
})

/** To a request that was not answered yet. */
export const answerProblem = (response: ServerResponse, problem: EgressProblem): void => {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const text = say(problem)
  response.writeHead(statusOf(problem), headersOf(problem, text)).end(text)
}

/** To a CONNECT, or whatever else has a bare socket. */
export const writeProblem = (socket: Duplex, problem: EgressProblem): void => {
  const status = statusOf(problem)
  const text = say(problem)
  const headers = Object.entries(headersOf(problem, text)).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join("")}\r\n${text}`, () => socket.destroy())
}
