import { Api } from "@troupe/domain/api/Api"
import { afterEach, assert, describe, it, vi } from "vitest"
import { Troupe } from "../src/index.ts"
import { Resource } from "../src/resources/Resource.ts"

const isResource = (value: unknown): value is Resource => value instanceof Resource

const methodsOf = (resource: Resource) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(resource))
    .filter((name) => name !== "constructor")
    .map((name) => ({ resource, name }))

const walk = (resources: ReadonlyArray<unknown>): ReturnType<typeof methodsOf> =>
  resources.filter(isResource).flatMap((resource) => [...methodsOf(resource), ...walk(Object.values(resource))])

/** However it ends. What is asked for only when it is iterated over is, too. */
const settled = async (result: unknown): Promise<void> => {
  const asks = result instanceof Promise || !isGenerator(result) ? result : result.next()
  await Promise.resolve(asks).catch(() => undefined)
}
const isGenerator = (value: unknown): value is AsyncGenerator =>
  typeof value === "object" && value !== null && "next" in value

/** What all methods of the client ask for, with `x` wherever an id is expected. */
const asked = async (): Promise<ReadonlySet<string>> => {
  const seen = new Set<string>()
  vi.stubGlobal("WebSocket", function (url: string) {
    seen.add(`GET ${new URL(url).pathname}`)
  })
  const client = new Troupe({
    baseURL: "http://client.test",
    apiKey: "k",
    maxRetries: 0,
    fetch: async (url, init) => {
      seen.add(`${init?.method} ${new URL(String(url)).pathname}`)
      const isStream = new Headers(init?.headers).get("accept") === "text/event-stream"
      return isStream ? new Response(null, { status: 403 }) : Response.json({ data: [], next_page: null })
    }
  })
  for (const { name, resource } of walk(Object.values(client))) {
    const method = (resource as unknown as Record<string, (...args: ReadonlyArray<unknown>) => unknown>)[name]!
    await settled(method.call(resource, "x", "x", "x"))
  }
  return seen
}

const endpoints = Object.values(Api.groups).flatMap(({ endpoints: some }) =>
  Object.values(some as Readonly<Record<string, { readonly method: string; readonly path: string }>>).map(
    ({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, "x")}`
  )
)

/** Runners come in by themselves, and RPC has a client of its own. */
const others = ["POST /v1/runners/register", "GET /v1/rpc"]

describe("the client", () => {
  afterEach(() => vi.unstubAllGlobals())

  it("has a method for each endpoint of the API", async () => {
    const seen = await asked()
    const missing = endpoints.filter((endpoint) => !seen.has(endpoint) && !others.includes(endpoint))
    const how = "give packages/client/src/resources a method for each, and packages/client/src/types their types"
    assert.deepStrictEqual(missing, [], how)
    assert.includeMembers([...endpoints], others)
  })

  it("asks for nothing that the API has not", async () => {
    assert.deepStrictEqual(
      [...(await asked())].filter((one) => !endpoints.includes(one)),
      []
    )
  })
})
