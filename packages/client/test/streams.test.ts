import { assert, describe, it } from "vitest"
import {
  AbortError,
  AuthenticationError,
  InvalidAnswerError,
  NotFoundError,
  SessionEndedError,
  Troupe
} from "../src/index.ts"
import { SseDecoder } from "../src/stream/sse.ts"
import {
  frameOf,
  type Handler,
  HostileServer,
  json,
  logEvent,
  refusal,
  soon,
  sse,
  write
} from "./support/HostileServer.ts"

const start = async (...handlers: ReadonlyArray<Handler>) => {
  const server = await HostileServer.start(...handlers)
  const session = new Troupe({ baseURL: server.baseURL, apiKey: "k" }).session("sesn_1")
  return { server, session, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** Writes this, and then breaks the connection, or leaves it open and silent. */
const writes =
  (words: string | Uint8Array, then: "break" | "end" | "silence" = "break"): Handler =>
  async (response) => {
    sse(response)
    await write(response, words)
    if (then === "break") response.destroy()
    if (then === "end") response.end()
  }
const logged = (...seqs: ReadonlyArray<number>) => seqs.map((seq) => frameOf(logEvent(seq))).join("")
const deleted = (seq: number) => frameOf(logEvent(seq, "SessionDeleted", {}))

const take = async <A>(items: AsyncIterable<A>, count: number): Promise<ReadonlyArray<A>> => {
  const taken: Array<A> = []
  for await (const item of items) if (taken.push(item) === count) break
  return taken
}
const failure = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error
  )

describe("the log's stream", () => {
  it("goes on where it was cut, also in the middle of an event, and gives nothing twice", async () => {
    const half = Buffer.from(frameOf(logEvent(3, "TurnStarted", { turnId: "ü" })))
    await using world = await start(
      writes(Buffer.concat([Buffer.from(logged(1, 2)), half.subarray(0, half.indexOf("ü") + 1)])),
      writes(logged(2, 3, 3, 4), "end"),
      refusal(503, "api_error", soon),
      (response) => void response.destroy(),
      writes(logged(5) + deleted(6), "end")
    )
    const seqs = (await take(world.session.followLog(), 99)).map(({ seq }) => seq)
    assert.deepStrictEqual(seqs, [1, 2, 3, 4, 5, 6])
    assert.deepStrictEqual(
      world.server.seen.map(({ url }) => url.split("=")[1]),
      ["0", "2", "4", "4", "4"]
    )
  })

  it("stands once it is awaited, and begins where it is told to", async () => {
    await using world = await start(writes(logged(8), "silence"))
    await using stream = await world.session.followLog({ after: 7 })
    assert.strictEqual(world.server.seen[0]!.url, "/v1/sessions/sesn_1/log/stream?after=7")
    assert.strictEqual((await take(stream, 1))[0]!.seq, 8)
  })

  it("takes a connection for dead on which nothing is heard, and heartbeats for life", async () => {
    const beats: Handler = async (response) => {
      sse(response)
      for (let beat = 0; beat < 4; beat++) {
        await new Promise((resolve) => setTimeout(resolve, 200))
        await write(response, `event: ping\ndata: {"type":"ping"}\n\n`)
      }
      await write(response, logged(2) + deleted(3))
    }
    await using world = await start(writes(logged(1), "silence"), beats)
    const taken = await take(world.session.followLog({ heartbeatTimeout: 600 }), 99)
    assert.deepStrictEqual(
      taken.map(({ seq }) => seq),
      [1, 2, 3]
    )
    assert.strictEqual(world.server.seen.length, 2)
  })

  it("passes on types and fields that it does not know", async () => {
    const event = { ...logEvent(1, "SomethingOfTomorrow", { deep: [1] }), more: true }
    await using world = await start(writes(frameOf(event) + deleted(2)))
    assert.deepStrictEqual((await take(world.session.followLog(), 1))[0] as object, event)
  })

  it("tries again what is garbled once, and says so of what stays garbled", async () => {
    const garbled = writes(logged(1) + "data: {nonsense\n\n")
    await using once = await start(garbled, writes(logged(2) + deleted(3)))
    assert.strictEqual((await take(once.session.followLog(), 99)).length, 3)
    await using always = await start(garbled)
    assert.instanceOf(await failure(take(always.session.followLog(), 99)), InvalidAnswerError)
    await using page = await start((response) => void response.writeHead(200).end("<html>"))
    assert.instanceOf(await failure(take(page.session.followLog(), 1)), InvalidAnswerError)
  })

  it("ends with what can't be helped by trying again", async () => {
    await using world = await start(writes(logged(1)), refusal(401, "authentication_error"))
    const stream = world.session.followLog()
    assert.instanceOf(await failure(take(stream, 99)), AuthenticationError)
    await using unknown = await start(refusal(404, "not_found_error"))
    assert.instanceOf(await failure(take(unknown.session.followLog(), 1)), NotFoundError)
  })

  it("ends when it is closed, and fails when its signal aborts it", async () => {
    await using world = await start(writes(logged(1), "silence"))
    const closed = await world.session.followLog()
    const seen: Array<number> = []
    for await (const { seq } of closed) {
      seen.push(seq)
      setTimeout(() => closed.close(), 10)
    }
    assert.deepStrictEqual(seen, [1])
    const controller = new AbortController()
    const follow = async () => {
      for await (const _ of world.session.followLog({ signal: controller.signal })) controller.abort()
    }
    assert.instanceOf(await failure(follow()), AbortError)
  })
})

const shown = (id: string, type: string, at: number, more: object = {}) => ({
  id,
  type,
  processed_at: `2026-01-01T00:00:00.${String(at).padStart(6, "0")}Z`,
  ...more
})
const live = (...events: ReadonlyArray<{ readonly type: string }>) => events.map(frameOf).join("")
const page = (...data: ReadonlyArray<object>) => json({ data, next_page: null })

describe("the feed of the workspace", () => {
  it("goes on behind the last cursor, and tells when its connection breaks and is back", async () => {
    const change = (id: string, type: string) => `id: ${id}\n${frameOf({ type })}`
    await using world = await start(
      writes(change("1-1", "at") + change("1-2", "inbox.closed") + frameOf({ type: "runner.changed" })),
      writes(change("1-2", "at") + change("1-3", "reset"), "silence")
    )
    const told: Array<boolean> = []
    const feed = new Troupe({ baseURL: world.server.baseURL, apiKey: "k" }).feed
    const seen = await take(feed.changes({ after: "1-0", onConnection: ({ stands }) => told.push(stands) }), 5)
    assert.deepStrictEqual(
      seen.map(({ cursor, type }) => `${cursor} ${type}`),
      ["1-1 at", "1-2 inbox.closed", "1-2 runner.changed", "1-2 at", "1-3 reset"]
    )
    assert.deepStrictEqual(
      world.server.seen.map(({ url }) => url),
      ["/v1/log/stream?after=1-0", "/v1/log/stream?after=1-2"]
    )
    assert.deepStrictEqual(told, [true, false, true])
  })
})

describe("what comes of a message", () => {
  it("is brought to its end over connections that break, and the message is said once", async () => {
    const event = (id: string, type = "agent.message") => frameOf({ type, id } as never)
    await using world = await start(
      writes(event("a", "user.message") + event("b")),
      writes(event("a", "user.message") + event("b") + event("c") + event("d", "session.status_idle"), "end")
    )
    const { sessions } = new Troupe({ baseURL: world.server.baseURL, apiKey: "k" })
    const seen = await take(sessions.events.message("sesn_1", "go"), 10)
    assert.deepStrictEqual(
      seen.map((one) => (one as { id: string }).id),
      ["a", "b", "c", "d"]
    )
    const [first, second] = world.server.seen
    assert.strictEqual(first!.body, JSON.stringify({ content: "go" }))
    assert.deepStrictEqual(
      [second!.body, second!.headers["idempotency-key"]],
      [first!.body, first!.headers["idempotency-key"]]
    )
  })
})

describe("the stream of events", () => {
  it("fetches what it missed between two connections, and gives nothing twice", async () => {
    const [a, b, c, d] = [shown("a", "x", 1), shown("b", "x", 2), shown("c", "x", 2), shown("d", "x", 3)]
    await using world = await start(
      page(a),
      writes(live(b)),
      writes(live(c, d, shown("e", "session.deleted", 4)), "silence"),
      page(b, c)
    )
    const ids = (await take(world.session.stream(), 99)).map((event) => "id" in event && event.id)
    assert.deepStrictEqual(ids, ["b", "c", "d", "e"])
    const asked = world.server.seen.map(({ url }) => decodeURIComponent(url).replace("/v1/sessions/sesn_1/events", ""))
    assert.deepStrictEqual(asked, [
      "?order=desc&limit=1&created_at[lte]=9999-12-31T00:00:00Z",
      "/stream",
      "/stream",
      `?created_at[gte]=${b.processed_at}`
    ])
  })

  it("misses nothing where the first connection breaks before anything came", async () => {
    await using world = await start(
      page(shown("a", "x", 1)),
      writes(""),
      writes(live(shown("c", "session.deleted", 3)), "silence"),
      page(shown("b", "x", 2))
    )
    const ids = (await take(world.session.stream(), 99)).map((event) => "id" in event && event.id)
    assert.deepStrictEqual(ids, ["b", "c"])
  })

  it("brings parts of messages where they are asked for", async () => {
    const delta = { type: "event_delta", event_id: "b", delta: { content: { type: "text", text: "Hi" } } }
    await using world = await start(page(), writes(live(delta), "silence"))
    assert.deepStrictEqual((await take(world.session.stream({ deltas: true }), 1))[0] as object, delta)
    assert.include(decodeURIComponent(world.server.seen[1]!.url), "event_deltas[]=agent.message")
  })
})

describe("until", () => {
  const idle = shown("i", "session.status_idle", 5, { stop_reason: { type: "end_turn" } })
  const running = shown("r", "session.status_running", 4)

  it("passes at once where the session rests already", async () => {
    await using world = await start(page(), writes("", "silence"), page(idle))
    assert.deepStrictEqual((await world.session.until("idle")).stop_reason, { type: "end_turn" })
  })

  it("waits for what comes", async () => {
    await using world = await start(page(), writes(live(running, idle), "silence"), page(running))
    assert.strictEqual((await world.session.until("idle")).id, "i")
  })

  it("fails where it can't come any more", async () => {
    const gone = shown("t", "session.status_terminated", 6)
    await using world = await start(page(), writes(live(gone), "silence"), page(running))
    assert.instanceOf(await failure(world.session.until("idle")), SessionEndedError)
  })
})

describe("server-sent events", () => {
  const text = "event: a\r\nid: 1\r\ndata: one\rdata: two\n: comment\n\ndata\n\nid: 2\n\ndata:x\n\nevent: cut"
  const whole = [
    { event: "a", data: "one\ntwo", id: "1" },
    { event: "", data: "", id: "1" },
    { event: "", data: "x", id: "2" }
  ]

  it("are read alike however they are cut into pieces", () => {
    for (let size = 1; size <= text.length; size++) {
      const decoder = new SseDecoder()
      const messages = []
      for (let at = 0; at < text.length; at += size) messages.push(...decoder.push(text.slice(at, at + size)))
      assert.deepStrictEqual(messages, whole, `in pieces of ${size}`)
    }
  })
})
