import { Api } from "@troupe/domain/api/Api"
import { Arbitrary, Effect, Result, type Schema } from "effect"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"

export interface Endpoint {
  readonly name: string
  /** What it is called in the contract: another way to an endpoint has a name of its own. */
  readonly contract: string
  readonly method: string
  readonly path: string
  readonly params: Schema.Top | undefined
  readonly query: Schema.Top | undefined
  readonly body: Schema.Top | undefined
  /** Whether the body comes in parts instead of as JSON. */
  readonly isForm: boolean
}

const endpointOf = (endpoint: HttpApiEndpoint.Top): Endpoint => {
  const [payload] = [...endpoint.payload.values()]
  return {
    name: endpoint.identifier,
    contract: endpoint.identifier,
    method: endpoint.method,
    path: endpoint.path,
    params: endpoint.params,
    query: endpoint.query,
    body: payload?.schemas[0],
    isForm: payload?.encoding._tag === "Multipart"
  }
}

/** All that the API has, as its contract says. */
export const endpoints: ReadonlyArray<Endpoint> = (() => {
  const found: Array<Endpoint> = []
  HttpApi.reflect(Api, { onGroup: () => {}, onEndpoint: ({ endpoint }) => found.push(endpointOf(endpoint)) })
  return found
})()

/** What some clients write by another method, or at another address. */
const otherwise: Readonly<Record<string, { readonly method: string; readonly path?: string }>> = {
  updateAgent: { method: "PUT" },
  archiveAgent: { method: "DELETE", path: "/v1/agents/:id" },
  updateEnvironment: { method: "PUT" },
  updateProject: { method: "PUT" },
  updateModelCard: { method: "PUT" },
  updateMcpServer: { method: "PUT" },
  updatePolicies: { method: "PUT" },
  updateSettings: { method: "PUT" }
}

/** The other ways to endpoints, which the contract does not have. */
export const aliases: ReadonlyArray<Endpoint> = endpoints.flatMap((endpoint) => {
  const other = otherwise[endpoint.name]
  return other === undefined ? [] : [{ ...endpoint, ...other, name: `${endpoint.name} by ${other.method}` }]
})

/** Values that a schema allows, always the same ones for a seed. What none can be derived for has an empty object. */
export const valuesOf = (schema: Schema.Top | undefined, count: number, seed: number): ReadonlyArray<unknown> => {
  if (schema === undefined) return [undefined]
  try {
    const values = Arbitrary.sampleEffect(Arbitrary.schema(schema), { count, seed, size: 4, maxDiscards: 5_000 })
    const result = Effect.runSync(Effect.result(values))
    return Result.isSuccess(result) && result.success.length > 0 ? result.success : [{}]
  } catch {
    return [{}]
  }
}

/** The ids in a value, other ones in their place. */
export const withIds = (value: unknown, idOf: (prefix: string, id: string) => string): unknown => {
  if (typeof value === "string") {
    const prefix = /^([a-z]+)_01[1-9A-HJ-NP-Za-km-z]{22}$/.exec(value)?.[1]
    return prefix === undefined ? value : idOf(prefix, value)
  }
  if (Array.isArray(value)) return value.map((one) => withIds(one, idOf))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withIds(inner, idOf)]))
}

export const pathOf = ({ path }: Endpoint, params: Readonly<Record<string, string>>): string =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name] ?? "none").toWellFormed()))

export const searchOf = (query: unknown): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}

/** The body as it is sent: JSON, or a form with a file. */
export const bodyOf = (
  { isForm }: Endpoint,
  body: unknown
): { body?: NonNullable<RequestInit["body"]>; headers: Record<string, string> } => {
  if (body === undefined) return { headers: {} }
  if (!isForm) return { body: JSON.stringify(body), headers: { "content-type": "application/json" } }
  const form = new FormData()
  form.append("file", new Blob(["content"]), "a.txt")
  return { body: form, headers: {} }
}
