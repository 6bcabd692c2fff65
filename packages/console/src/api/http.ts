import { problemOf, unreachable } from "./ApiProblem.ts"

interface Sent {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE"
  readonly body?: unknown
  /** Files: the browser says how they are divided. */
  readonly form?: FormData
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export const query = (parameters: Readonly<Record<string, unknown>>): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === null || value === "") continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}

/** One request, answered or failed with an `ApiProblem`. Writes carry a key of their own, so that one sent twice is one. */
export const send = async (
  path: string,
  { body, form, headers, method = "GET", signal }: Sent = {}
): Promise<Response> => {
  const response = await fetch(path, {
    method,
    signal: signal ?? null,
    credentials: "same-origin",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(method === "GET" ? {} : { "idempotency-key": crypto.randomUUID(), "x-troupe-console": "1" }),
      ...headers
    },
    ...(form !== undefined ? { body: form } : body === undefined ? {} : { body: JSON.stringify(body) })
  }).catch((cause: unknown) => {
    throw cause instanceof DOMException && cause.name === "AbortError" ? cause : unreachable()
  })
  if (response.ok) return response
  const said: unknown = await response.json().catch(() => null)
  throw problemOf(response.status, said, response.headers.get("request-id"))
}

export const get = async <A>(path: string, signal?: AbortSignal): Promise<A> =>
  (await (await send(path, { signal })).json()) as A

export const post = async <A>(path: string, body: unknown): Promise<A> =>
  (await (await send(path, { method: "POST", body })).json()) as A

export const remove = async <A>(path: string): Promise<A> =>
  (await (await send(path, { method: "DELETE" })).json()) as A
