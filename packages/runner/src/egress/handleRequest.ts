import { Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { answerProblem, writeProblem } from "./answers.ts"
import type { Errand } from "./attend.ts"
import type { Client, Clients } from "./Clients.ts"
import type { Draft } from "./EgressRecord.ts"
import { exchange, type Onward } from "./exchange.ts"
import { tunnel } from "./handleConnect.ts"
import { formatHost, parseAuthority } from "@troupe/domain/network/hosts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import type { SandboxEgress } from "./SandboxEgress.ts"
import { upgrade } from "./upgrade.ts"

/** A kept connection may have ended; another one, and a new one after it. */
const staleTriesMax = 4
const absoluteForm = /^http:\/\/([^/?#]+)([^#]*)/i

interface Target {
  readonly asked: Endpoint
  readonly path: string
}

/** Where a request of the absolute form goes. The path stays as it was written. */
const plainTarget = (url: string): Target | undefined => {
  const [, authority, rest = ""] = absoluteForm.exec(url) ?? []
  if (authority === undefined) return undefined
  const asked = parseAuthority(/:\d+$/.test(authority) ? authority : `${authority}:80`)
  return asked === undefined ? undefined : { asked, path: rest.startsWith("/") ? rest : `/${rest}` }
}

/** Inside of TLS that ended here. A host header that names somebody else would take credentials to another site. */
const innerTarget = ({ headers, url = "" }: IncomingMessage, asked: Endpoint): Target | undefined => {
  const named = headers.host ?? ""
  const host = parseAuthority(/:\d+$/.test(named) ? named : `${named}:${asked.port}`)
  const isSame = host?.host === asked.host && host.port === asked.port
  return isSame && (url.startsWith("/") || url === "*") ? { asked, path: url } : undefined
}

const targetOf = (request: IncomingMessage, { within }: Client): Target | undefined =>
  within === undefined ? plainTarget(request.url ?? "") : innerTarget(request, within.asked)

const isFramedPlainly = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] === undefined || headers["transfer-encoding"].toLowerCase() === "chunked"

const prepare = Effect.fnUntraced(function* (
  egress: SandboxEgress,
  request: IncomingMessage,
  client: Client,
  target: Target | undefined
) {
  if (target === undefined || !isFramedPlainly(request)) {
    const detail =
      client.within === undefined
        ? "this is a proxy: it takes http:// addresses, and CONNECT for everything else"
        : `only requests to ${formatHost(client.within.asked.host)} belong into this connection`
    return yield* new EgressRefused({ code: "request_invalid", ...(target?.asked ?? { host: "", port: 0 }), detail })
  }
  yield* Effect.fromResult(egress.decide(target.asked))
  const { headers, method = "GET" } = request
  const changes =
    client.within === undefined ? {} : yield* client.within.rewrite({ method, path: target.path, headers })
  const { headerBytesMax, idleMs } = egress.limits
  const defaultPort = client.within === undefined ? 80 : 443
  const onward: Onward = { ...target, defaultPort, changes, agent: client.agent, idleMs, headerBytesMax }
  return onward
})

const errandOf = (request: IncomingMessage, client: Client, target: Target | undefined) => ({
  kind: client.within === undefined ? ("http" as const) : ("intercepted" as const),
  asked: target?.asked ?? client.within?.asked,
  method: request.method ?? null,
  isNested: client.within !== undefined
})

/** A request to be passed on with its answer. */
export const requestErrand = (
  egress: SandboxEgress,
  clients: Clients,
  request: IncomingMessage,
  response: ServerResponse
): Errand => {
  const client = clients(request.socket)
  const target = targetOf(request, client)
  request.on("error", () => {})
  response.on("error", () => {})

  const work = Effect.fnUntraced(function* (draft: Draft) {
    const onward = yield* prepare(egress, request, client, target)
    for (let tries = 0; tries < staleTriesMax; tries++) {
      const end = yield* exchange(request, response, onward, draft)
      if (end === "stale") continue
      if (end === "broken") draft.outcome = { _tag: "Failed", reason: "broken" }
      return
    }
    response.destroy()
    draft.outcome = { _tag: "Failed", reason: "broken" }
  })

  return {
    ...errandOf(request, client, target),
    work,
    answer: (problem) => answerProblem(response, problem),
    cut: () => request.socket.destroy()
  }
}

/** A request to go on in another protocol, such as WebSocket. */
export const upgradeErrand = (
  egress: SandboxEgress,
  clients: Clients,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer
): Errand => {
  const client = clients(socket)
  const target = targetOf(request, client)
  socket.on("error", () => {})

  const work = Effect.fnUntraced(function* (draft: Draft) {
    const onward = yield* prepare(egress, request, client, target)
    const upgraded = yield* upgrade(request, socket, onward, draft)
    if (upgraded._tag === "Answered") return
    yield* tunnel(socket, upgraded.upstream, head, egress, draft)
  })

  return {
    ...errandOf(request, client, target),
    work,
    answer: (problem) => writeProblem(socket, problem),
    cut: () => socket.destroy()
  }
}
