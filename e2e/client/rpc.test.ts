import { Effect, Fiber, Layer, ManagedRuntime, Redacted, Result, Stream } from "effect"
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type ApiError, type LogEvent, NotFoundError, type TroupeError } from "@troupe/client"
import { TroupeRpc } from "@troupe/client/rpc"
import { plays, think, tool } from "../../packages/server/test/gateway/gatewayWorld.ts"
import { type OwnWorld, startOwn } from "../../packages/server/test/gateway/ownWorld.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { endsBy } from "../../packages/server/test/support/revocation.ts"
import { requires } from "../../test/requires.ts"

const long = 120_000

/** A way to the server that can be cut, as often as one likes. */
const cutting = async (port: number) => {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1")
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on("error", () => {}).on("close", () => sockets.delete(socket))
    }
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const cut = () => sockets.forEach((socket) => socket.destroy())
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    end: async () => {
      cut()
      server.close()
      await once(server, "close")
    }
  }
}

requires("postgres")("sessions over RPC", () => {
  let world: OwnWorld
  const ends: Array<() => Promise<void>> = []
  beforeAll(async () => {
    world = await startOwn()
  }, long)
  afterAll(async () => {
    for (const end of ends) await end()
    await world?.end()
  })

  const dial = (key = apiKey, baseURL = world.node.gateway) => {
    const runtime = ManagedRuntime.make(
      TroupeRpc.layer({ baseURL, apiKey: Redacted.make(key), maxRetries: 1 }) as Layer.Layer<TroupeRpc>
    )
    ends.push(() => runtime.dispose())
    return {
      run: <A>(work: (rpc: TroupeRpc["Service"]) => Effect.Effect<A, TroupeError>) =>
        runtime.runPromise(Effect.flatMap(TroupeRpc, work)),
      failure: async (work: (rpc: TroupeRpc["Service"]) => Effect.Effect<unknown, TroupeError>) => {
        const result = await runtime.runPromise(Effect.result(Effect.flatMap(TroupeRpc, work)))
        if (Result.isSuccess(result)) throw new Error("It did not fail")
        return result.failure as ApiError
      }
    }
  }
  const message = (text: string) => ({ type: "user.message", content: [{ type: "text", text }] }) as const
  const isIdle = (reason: string) => (event: LogEvent) =>
    event.type === "StatusChanged" && JSON.stringify(event.payload).includes(`"${reason}"`)
  /** Events up to the first one that is the last one wanted. */
  const upTo =
    (id: string, last: (event: LogEvent) => boolean, after = 0) =>
    (rpc: TroupeRpc["Service"]) =>
      rpc.followLog(id, { after }).pipe(
        Stream.map((item) => item as LogEvent),
        Stream.takeUntil(last),
        Stream.runCollect
      )
  const seqsOf = (events: ReadonlyArray<LogEvent>) => events.map(({ seq }) => seq)

  it(
    "are opened, spoken to, allowed what they ask for, and followed",
    async () => {
      const { run } = dial()
      const { id } = await run((rpc) => rpc.create({ agent: world.agentId, title: "over rpc" }))
      world.script(plays(tool("ask")), plays(think()))
      const [sent] = await run((rpc) => rpc.send(id, [message("go")]))
      assert.strictEqual(sent!.type, "user.message")
      const asked = await run(upTo(id, isIdle("requires_action")))
      const [approval] = await run((rpc) => rpc.approvals(id))
      await run((rpc) => rpc.answer(id, approval!.id, { result: "allow" }))
      const rest = await run(upTo(id, isIdle("end_turn"), asked.at(-1)!.seq))
      const log = await world.log(id)
      assert.deepStrictEqual(
        [...asked, ...rest],
        log.filter(({ seq }: LogEvent) => seq <= rest.at(-1)!.seq)
      )
      assert.strictEqual((await run((rpc) => rpc.retrieve(id))).title, "over rpc")
    },
    long
  )

  it(
    "are reached with JSON alone, as it is described for other languages",
    async () => {
      const url = `${world.node.gateway.replace(/^http/, "ws")}/v1/rpc`
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${apiKey}` } } as never)
      const heard: Array<Record<string, unknown>> = []
      let come = () => undefined as void
      socket.addEventListener("message", ({ data }) => {
        const said = JSON.parse(
          typeof data === "string" ? data : Buffer.from(data as ArrayBuffer).toString()
        ) as unknown
        heard.push(...([said].flat() as Array<Record<string, unknown>>))
        come()
      })
      await once(socket as never, "open")
      const told = async (id: string, tag: string) => {
        while (true) {
          const found = heard.find((one) => one["requestId"] === id && one["_tag"] === tag)
          if (found !== undefined) return found
          await new Promise<void>((resolve) => (come = resolve))
        }
      }
      const call = (id: string, tag: string, payload: object) =>
        socket.send(JSON.stringify({ _tag: "Request", id, tag, payload, headers: [] }))

      call("1", "CreateSession", { key: "made-once", body: { agent: world.agentId } })
      const { exit } = (await told("1", "Exit")) as { exit: { _tag: string; value: { id: string } } }
      assert.strictEqual(exit._tag, "Success")
      call("2", "FollowLog", { id: exit.value.id, after: 0 })
      const { values } = (await told("2", "Chunk")) as { values: ReadonlyArray<string> }
      assert.strictEqual((JSON.parse(values[0]!) as LogEvent).type, "SessionOpened")
      socket.send(JSON.stringify({ _tag: "Ack", requestId: "2" }))
      call("3", "RetrieveSession", { id: `sesn_01${"1".repeat(22)}` })
      const missing = (await told("3", "Exit")) as { exit: { cause: ReadonlyArray<{ error: { type: string } }> } }
      assert.strictEqual(missing.exit.cause[0]!.error.type, "not_found_error")
      socket.send(JSON.stringify({ _tag: "Interrupt", requestId: "2" }))
      socket.send(JSON.stringify({ _tag: "Ping" }))
      while (!heard.some((one) => one["_tag"] === "Pong")) await new Promise<void>((resolve) => (come = resolve))
      socket.close()
    },
    long
  )

  it(
    "say what is wrong as HTTP does",
    async () => {
      const { failure, run } = dial()
      const unknown = `sesn_01${"1".repeat(22)}`
      const missing = await failure((rpc) => rpc.retrieve(unknown))
      assert.instanceOf(missing, NotFoundError)
      assert.strictEqual(missing.status, 404)
      assert.instanceOf(await failure((rpc) => Stream.runCollect(rpc.followLog(unknown))), NotFoundError)
      const bad = await failure((rpc) => rpc.create({ agent: world.agentId, titel: "x" } as never))
      assert.deepStrictEqual([bad.status, bad.type], [400, "invalid_request_error"])
      assert.include(bad.message, "titel")
      const { id } = await run((rpc) => rpc.create({ agent: world.agentId }))
      assert.strictEqual((await failure((rpc) => rpc.send(id, [{ type: "user.dance" } as never]))).status, 400)
      assert.strictEqual((await failure((rpc) => rpc.send(id, []))).status, 400)
      const none = await failure((rpc) => rpc.answer(id, `sevt_01${"1".repeat(22)}`, { result: "allow" }))
      assert.strictEqual(none.status, 400)
    },
    long
  )

  it(
    "are open to keys that open them alone",
    async () => {
      const { body: reads } = await world.post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["read"] })
      const { id } = await dial().run((rpc) => rpc.create({ agent: world.agentId }))
      const reader = dial(reads.secret)
      assert.strictEqual((await reader.run((rpc) => rpc.retrieve(id))).id, id)
      assert.strictEqual((await reader.failure((rpc) => rpc.send(id, [message("x")]))).status, 403)
      const stranger = dial(await world.stranger())
      assert.strictEqual((await stranger.failure((rpc) => rpc.retrieve(id))).status, 404)
      assert.strictEqual((await stranger.failure((rpc) => Stream.runCollect(rpc.followLog(id)))).status, 404)
      const { body: user } = await world.post("/v1/tokens", { kind: "end_user", subject: "ann", session_ids: [id] })
      const own = dial(user.secret)
      assert.strictEqual((await own.run((rpc) => rpc.retrieve(id))).id, id)
      const { id: other } = await dial().run((rpc) => rpc.create({ agent: world.agentId }))
      assert.strictEqual((await own.failure((rpc) => rpc.retrieve(other))).status, 404)
      assert.strictEqual((await dial("nothing").failure((rpc) => rpc.retrieve(id))).status, 401)
      assert.strictEqual((await world.get("/v1/rpc")).status, 426)
    },
    long
  )

  it(
    "are shut once the key is revoked",
    async () => {
      const { body: key } = await world.post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["read", "write"] })
      const { failure, run } = dial(key.secret)
      const { id } = await run((rpc) => rpc.create({ agent: world.agentId }))
      const ended = failure((rpc) => Stream.runDrain(rpc.followLog(id)))
      await run(upTo(id, () => true))
      const revokes = world.fetch(`/v1/tokens/${key.id}`, { method: "DELETE" })
      assert.strictEqual((await endsBy(revokes, () => ended)).status, 401)
    },
    long
  )

  it(
    "are followed over connections that break, whole and in order",
    async () => {
      const proxy = await cutting(Number(new URL(world.node.gateway).port))
      const { run } = dial(apiKey, proxy.address)
      ends.push(proxy.end)
      const { id } = await run((rpc) => rpc.create({ agent: world.agentId }))
      const follows = run(upTo(id, ({ type }) => type === "SessionArchived"))
      for (let n = 0; n < 4; n++) {
        await world.say(id, `part ${n}`)
        await world.until(id, "idle")
        proxy.cut()
      }
      await world.post(`/v1/sessions/${id}/archive`, {})
      const seen = await follows
      assert.deepStrictEqual(
        seqsOf(seen),
        seen.map((_, index) => index + 1)
      )
    },
    long
  )

  it(
    "go on beside one that nobody reads",
    async () => {
      const { run } = dial()
      const { id } = await run((rpc) => rpc.create({ agent: world.agentId }))
      const events = Array.from({ length: 12 }, () => message("x".repeat(60_000)))
      for (let n = 0; n < 3; n++) await run((rpc) => rpc.send(id, events))
      await world.until(id, "idle")
      const log = await world.log(id)
      let looked = 0
      const answered = Promise.withResolvers<void>()
      const seen = await run((rpc) =>
        Effect.gen(function* () {
          const slow = yield* rpc.followLog(id).pipe(
            Stream.tap(() => (looked++ === 0 ? Effect.promise(() => answered.promise) : Effect.void)),
            Stream.take(log.length),
            Stream.runCollect,
            Effect.forkChild
          )
          const other = yield* rpc.create({ agent: world.agentId })
          assert.isBelow(looked, 2)
          answered.resolve()
          assert.strictEqual((yield* rpc.retrieve(other.id)).id, other.id)
          return yield* Fiber.join(slow)
        })
      )
      assert.deepStrictEqual(seqsOf(seen as ReadonlyArray<LogEvent>), seqsOf(log))
    },
    long
  )

  it(
    "end with the session",
    async () => {
      const { run } = dial()
      const { id } = await run((rpc) => rpc.create({ agent: world.agentId }))
      let begun = () => {}
      const begins = new Promise<void>((resolve) => {
        begun = resolve
      })
      const all = run((rpc) =>
        rpc.followLog(id).pipe(
          Stream.tap(() => Effect.sync(begun)),
          Stream.runCollect
        )
      )
      await begins
      await world.fetch(`/v1/sessions/${id}`, { method: "DELETE" })
      assert.include(
        (await all).map(({ type }) => type),
        "SessionDeleted"
      )
    },
    long
  )
})
