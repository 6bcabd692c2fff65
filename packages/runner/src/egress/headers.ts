import type { IncomingMessage, OutgoingHttpHeaders } from "node:http"
import type { HeaderChanges } from "./Interception.ts"

/** Of one connection alone, not of the request or the answer. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const listedIn = (connection: string | undefined) =>
  (connection ?? "").split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim().toLowerCase()]))

/** The headers that go on, spelled as they came, repeated where they were. */
export const passedOn = (message: IncomingMessage, changes: HeaderChanges = {}): OutgoingHttpHeaders => {
  const own = new Set([...listedIn(message.headers.connection), ...Object.keys(changes)])
  const headers = new Map<string, { readonly name: string; readonly values: Array<string> }>()
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    const name = message.rawHeaders[i]!
    const key = name.toLowerCase()
    if (hopByHop.has(key) || own.has(key)) continue
    const known = headers.get(key)
    if (known === undefined) headers.set(key, { name, values: [message.rawHeaders[i + 1]!] })
    else known.values.push(message.rawHeaders[i + 1]!)
  }
  const kept = [...headers.values()].map(({ name, values }) => [name, values.length === 1 ? values[0] : values])
  const changed = Object.entries(changes).filter(([, value]) => value !== null)
  return Object.fromEntries([...changed, ...kept]) as OutgoingHttpHeaders
}

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"
