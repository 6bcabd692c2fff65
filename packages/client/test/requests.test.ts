import { assert, describe, it } from "vitest"
import {
  AbortError,
  ApiError,
  ConflictError,
  ConnectionError,
  InvalidAnswerError,
  NotFoundError,
  RateLimitError,
  ServerError,
  TimeoutError,
  Troupe,
  TroupeError,
  type TroupeOptions
} from "../src/index.ts"
import { type Handler, HostileServer, json, refusal, soon } from "./support/HostileServer.ts"

const apiKey = "sk_a_key_that_nobody_may_see"

const start = async (options: TroupeOptions, ...handlers: ReadonlyArray<Handler>) => {
  const server = await HostileServer.start(...handlers)
  const client = new Troupe({ baseURL: `${server.baseURL}/`, apiKey, ...options })
  return { client, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const failure = async (call: PromiseLike<unknown>): Promise<unknown> =>
  call.then(
    () => assert.fail("it was answered"),
    (error: unknown) => error
  )

const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

const agent = { id: "agent_1", type: "agent" }
const hang: Handler = () => undefined
const cut: Handler = (response) => void response.destroy()

describe("a request", () => {
  it("carries the key, the body and what was asked for", async () => {
    await using world = await start({ headers: { "x-mine": "1" } }, json(agent), json({ data: [], next_page: null }))
    const { client, server } = world
    assert.deepStrictEqual((await client.agents.create({ name: "a", model: "demo" })) as object, agent)
    await client.sessions.list({ "statuses[]": ["idle", "running"], limit: 5 })
    const [create, list] = server.seen
    assert.deepInclude(create, { method: "POST", url: "/v1/agents", body: `{"name":"a","model":"demo"}` })
    assert.deepInclude(create!.headers, {
      authorization: `Bearer ${apiKey}`,
      "content-type": "application/json",
      "x-mine": "1"
    })
    assert.strictEqual(list!.url, "/v1/sessions?statuses%5B%5D=idle&statuses%5B%5D=running&limit=5")
    assert.isUndefined(list!.headers["idempotency-key"])
  })

  it("answers with the response beside the data, if asked to", async () => {
    await using world = await start({}, json(agent))
    const { data, requestId, response } = await world.client.agents.retrieve("agent_1").withResponse()
    assert.deepStrictEqual([data.id, requestId, response.status], ["agent_1", "req_1", 200])
  })

  it("asks a token's source each time", async () => {
    let asked = 0
    await using world = await start({ apiKey: undefined, token: async () => `t${++asked}` }, json(agent))
    await world.client.agents.retrieve("agent_1")
    await world.client.agents.retrieve("agent_1")
    assert.deepStrictEqual(
      world.server.seen.map(({ headers }) => headers.authorization),
      ["Bearer t1", "Bearer t2"]
    )
  })

  it("goes through the fetch that is given", async () => {
    const client = new Troupe({ fetch: async (url) => Response.json({ id: String(url) }) })
    assert.strictEqual((await client.agents.retrieve("x")).id, "http://127.0.0.1:4777/v1/agents/x")
  })

  it("is let in by the browser's cookie, and nothing beside it", async () => {
    const asked: Array<RequestInit | undefined> = []
    const client = new Troupe({
      credentials: "cookie",
      fetch: async (_, init) => {
        asked.push(init)
        return Response.json(agent)
      }
    })
    await client.agents.retrieve("agent_1")
    assert.strictEqual(asked[0]?.credentials, "include")
    assert.isFalse(new Headers(asked[0]?.headers).has("authorization"))
  })

  it("keeps ids within their place in the path", async () => {
    await using world = await start({}, json(agent))
    await world.client.agents.retrieve("../sessions?x=1")
    assert.strictEqual(world.server.seen[0]!.url, "/v1/agents/..%2Fsessions%3Fx%3D1")
    for (const id of ["", ".", ".."]) assert.throws(() => world.client.agents.retrieve(id), TroupeError)
  })

  it("makes a file of what is sent to an address, without a key", async () => {
    await using world = await start({ apiKey: undefined }, json({ id: "file_1" }))
    const url = `https://elsewhere.example/v1/uploads?grant=a_grant`
    assert.strictEqual((await world.client.uploads.send(url, new Uint8Array([104, 105]))).id, "file_1")
    const [sent] = world.server.seen
    assert.deepInclude(sent, { method: "PUT", url: "/v1/uploads?grant=a_grant", body: "hi" })
    assert.strictEqual(sent!.headers["content-type"], "application/octet-stream")
    assert.isUndefined(sent!.headers.authorization)
  })
})

describe("a request that fails", () => {
  it("is sent again under the same idempotency key", async () => {
    await using world = await start(
      {},
      refusal(429, "rate_limit_error", soon),
      refusal(529, "overloaded_error", { "retry-after": "0" }),
      cut,
      json(agent)
    )
    await world.client.agents.create({ name: "a", model: "demo" })
    await world.client.agents.create({ name: "a", model: "demo" })
    const keys = world.server.seen.map(({ headers }) => headers["idempotency-key"])
    assert.strictEqual(keys.length, 5)
    assert.strictEqual(new Set(keys.slice(0, 4)).size, 1)
    assert.notStrictEqual(keys[4], keys[0])
  })

  it("waits as long as it is asked to before it is sent again", async () => {
    for (const [headers, ms] of [
      [{ "retry-after": "1" }, 1_000],
      [{ "retry-after-ms": "300", "retry-after": "30" }, 300]
    ] as const) {
      const at: Array<number> = []
      const noted =
        (handler: Handler): Handler =>
        (response, seen) => {
          at.push(performance.now())
          return handler(response, seen)
        }
      await using world = await start({}, noted(refusal(529, "overloaded_error", headers)), noted(json(agent)))
      await world.client.agents.retrieve("agent_1")
      // Timers may be early by a millisecond.
      assert.isAtLeast(at[1]! - at[0]!, ms - 5)
    }
  })

  it("is not sent again where the server says so, or where that can't help", async () => {
    const final = { "x-should-retry": "false" }
    for (const [status, headers, tries] of [
      [409, final, 1],
      [409, soon, 3],
      [500, { ...final, ...soon }, 1],
      [400, soon, 1],
      [404, soon, 1],
      [418, { "x-should-retry": "true", ...soon }, 3],
      [429, { "retry-after": "3600" }, 1]
    ] as const) {
      await using world = await start({ maxRetries: 2 }, refusal(status, "some_error", headers))
      await failure(world.client.agents.list())
      assert.strictEqual(world.server.seen.length, tries, `${status} ${JSON.stringify(headers)}`)
    }
  })

  it("says by its class, its type and its code what is wrong", async () => {
    const body = { error: { type: "not_found_error", message: "Gone.", details: { error_code: "x_gone" } } }
    await using world = await start({ maxRetries: 0 }, json(body, 404))
    const error = (await failure(world.client.agents.retrieve("agent_1"))) as ApiError
    assert.instanceOf(error, NotFoundError)
    assert.deepInclude({ ...error }, { status: 404, type: "not_found_error", code: "x_gone", requestId: "req_1" })
    assert.strictEqual(error.message, "Gone.")
    for (const [status, Kind] of [
      [409, ConflictError],
      [429, RateLimitError],
      [503, ServerError],
      [418, ApiError]
    ] as const) {
      await using other = await start({ maxRetries: 0 }, refusal(status, "some_error"))
      assert.strictEqual(Object.getPrototypeOf(await failure(other.client.agents.list())), Kind.prototype)
    }
  })

  it("is told from one that something else answered", async () => {
    const page: Handler = (response) => void response.writeHead(502).end("<html>secret proxy page</html>")
    const nonsense: Handler = (response) => void response.writeHead(200).end(`{"half`)
    await using world = await start({ maxRetries: 0 }, page, nonsense, json({ data: 1 }))
    const proxied = (await failure(world.client.agents.retrieve("x"))) as ApiError
    assert.deepStrictEqual([proxied.status, proxied.type], [502, null])
    assert.notInclude(proxied.message, "html")
    assert.instanceOf(await failure(world.client.agents.retrieve("x")), InvalidAnswerError)
    assert.instanceOf(await failure(world.client.agents.list()), InvalidAnswerError)
  })

  it("gives up in time, and where nothing listens", async () => {
    const slow: Handler = (response) => void response.writeHead(200).write("{")
    await using world = await start({ maxRetries: 1, timeout: 100 }, hang, slow)
    assert.instanceOf(await failure(world.client.agents.list()), TimeoutError)
    assert.strictEqual(world.server.seen.length, 2)
    const nowhere = new Troupe({ baseURL: "http://127.0.0.1:1", apiKey, maxRetries: 0 })
    const error = (await failure(nowhere.agents.list())) as Error
    assert.instanceOf(error, ConnectionError)
    assert.notInclude(error.message + String(error.stack), apiKey)
  })

  it("ends when its signal does, also while it waits for the next try", async () => {
    for (const handler of [hang, refusal(529, "overloaded_error", { "retry-after": "30" })]) {
      const controller = new AbortController()
      await using world = await start({}, (response, seen) => {
        setTimeout(() => controller.abort("enough"), 20)
        return handler(response, seen)
      })
      const error = (await failure(world.client.agents.list({}, { signal: controller.signal }))) as Error
      assert.instanceOf(error, AbortError)
      assert.deepStrictEqual([error.name, error.cause], ["AbortError", "enough"])
    }
  })

  it("does not follow elsewhere", async () => {
    const away: Handler = (response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end()
    await using world = await start({ maxRetries: 0 }, away)
    assert.instanceOf(await failure(world.client.agents.list()), ConnectionError)
    assert.strictEqual(world.server.seen.length, 1)
  })

  it("tells the logger, and no secret", async () => {
    const said: Array<string> = []
    const logger = {
      debug: (...words: ReadonlyArray<unknown>) => void said.push(JSON.stringify(words)),
      warn: (...words: ReadonlyArray<unknown>) => void said.push(JSON.stringify(words))
    }
    await using world = await start({ logger }, refusal(500, "api_error", soon), json(agent))
    await world.client.agents.create({ name: "a", model: "demo", system: "very private" })
    assert.isAtLeast(said.length, 3)
    assert.notInclude(said.join(), apiKey)
    assert.notInclude(said.join(), "very private")
  })
})

describe("a list", () => {
  const pages: ReadonlyArray<Handler> = [
    json({ data: [{ id: "1" }, { id: "2" }], next_page: "page_2" }),
    json({ data: [], next_page: "page_3" }),
    json({ data: [{ id: "3" }], next_page: null })
  ]

  it("is iterated over through all of its pages", async () => {
    await using world = await start({}, ...pages)
    const all = await collect(world.client.agents.list({ limit: 2 }))
    assert.deepStrictEqual(
      all.map(({ id }) => id),
      ["1", "2", "3"]
    )
    assert.deepStrictEqual(
      world.server.seen.map(({ url }) => url),
      ["/v1/agents?limit=2", "/v1/agents?limit=2&page=page_2", "/v1/agents?limit=2&page=page_3"]
    )
  })

  it("is a page when it is awaited, with the way to the next", async () => {
    await using world = await start({}, ...pages)
    const page = await world.client.agents.list()
    assert.deepStrictEqual([page.data.length, page.hasNextPage()], [2, true])
    const last = await (await page.nextPage())!.nextPage()
    assert.deepStrictEqual([last!.data.length, last!.hasNextPage(), await last!.nextPage()], [1, false, null])
  })

  it("says how to go on from a page, for whoever keeps that and asks later", async () => {
    await using world = await start({}, ...pages)
    const page = await world.client.agents.list({ limit: 2 })
    assert.deepStrictEqual(page.more, { page: "page_2" })
    await world.client.agents.list({ limit: 2, ...page.more })
    assert.strictEqual(world.server.seen[1]!.url, "/v1/agents?limit=2&page=page_2")
  })

  it("asks for no more than is taken", async () => {
    await using world = await start({}, ...pages)
    for await (const _ of world.client.agents.list()) break
    assert.strictEqual(world.server.seen.length, 1)
  })

  it("ends where the server would lead it round in a circle", async () => {
    await using world = await start({}, json({ data: [], next_page: "page_1" }))
    assert.instanceOf(await failure(collect(world.client.agents.list())), InvalidAnswerError)
  })
})

describe("a terminal that was refused", () => {
  it("says why to a request, which passes where one would be let in", async () => {
    await using world = await start({}, refusal(426, "invalid_request_error"), refusal(409, "invalid_request_error"))
    const check = () => world.client.sessions.place.checkTerminal("sesn_1", { columns: 80 }, { maxRetries: 0 })
    await check()
    assert.strictEqual(world.server.seen[0]!.url, "/v1/sessions/sesn_1/terminal?columns=80")
    assert.instanceOf(await failure(check()), ConflictError)
  })
})
