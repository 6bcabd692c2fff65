import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import { fromUuid, prefixes } from "@troupe/domain/Ids"
import { Effect, ManagedRuntime } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { request } from "node:http"
import type { Socket } from "node:net"
import { setTimeout } from "node:timers/promises"
import { manySessions } from "../../../../test/support/manySessions.ts"
import { mintId, prng } from "../../../../test/support/Prng.ts"
import { apiKey } from "../support/apiKey.ts"
import { deafSocket, frameOf } from "../support/deafSocket.ts"
import { endsBy } from "../support/revocation.ts"
import { plays, think, tool } from "./gatewayWorld.ts"
import { type Body, eventsOf, type OwnWorld, type SentEvent, startOwn } from "./ownWorld.ts"

describe("followed", { timeout: 120_000 }, () => {
  let world: OwnWorld
  beforeAll(async () => {
    world = await startOwn()
  }, 120_000)
  afterAll(() => world?.end())

  describe("workspaces", () => {
    /** Reads a stream until an event of it is the last one that is wanted. */
    const read = async (response: Response, last: (event: SentEvent) => boolean) => {
      assert.strictEqual(response.status, 200)
      const seen: Array<SentEvent> = []
      for await (const event of eventsOf(response)) {
        seen.push(event)
        if (last(event)) return seen
      }
      throw new Error(`the stream ended: ${JSON.stringify(seen)}`)
    }
    const stream = (after?: string, key?: string) =>
      world.fetch("/v1/log/stream", {
        headers: {
          ...(after === undefined ? {} : { "last-event-id": after }),
          ...(key === undefined ? {} : { "x-api-key": key })
        }
      })
    const idle = (id: string) => (event: SentEvent) =>
      event.event === "session.changed" && event.data.session.id === id && event.data.session.status === "idle"
    const of = (id: string) => (event: SentEvent) => event.data.session?.id === id || event.data.session_id === id
    /** What was told, without how often a session was shown on the way. */
    const told = (seen: ReadonlyArray<SentEvent>, id: string) =>
      seen
        .filter(of(id))
        .map(({ data }) => (data.type === "session.changed" ? "changed" : `${data.type} ${data.id ?? ""}`))

    it("tell of sessions and of what people are asked, from now on", async () => {
      const response = await stream()
      const id = await world.open({ title: "followed" })
      world.script(plays(tool("ask")), plays(think()))
      await world.say(id, "go")
      await world.until(id, "idle")
      const [approval] = (await world.get(`/v1/sessions/${id}/approvals`)).body.data
      // The summary is of now, and may be told before or after the call that it waits for.
      const missing = new Set(["rests", "opened"])
      const seen = await read(response, ({ data }) => {
        if (data.type === "inbox.opened" && data.id === approval.id) missing.delete("opened")
        if (data.session?.id === id && data.session.stop_reason === "requires_action") missing.delete("rests")
        return missing.size === 0
      })
      assert.strictEqual(seen[0]!.event, "at")
      const last = seen.findLast(({ data }) => data.session?.id === id)!.data.session
      assert.deepStrictEqual([last.title, last.status, last.open_requests], ["followed", "idle", 1])
      const from = seen.findLast((event) => event.id !== null)!.id!
      await world.post(`/v1/sessions/${id}/approvals/${approval.id}`, { result: "allow" })
      const rest = await read(
        await stream(from),
        ({ data }) =>
          data.type === "session.changed" && data.session.id === id && data.session.stop_reason === "end_turn"
      )
      assert.include(told(rest, id), `inbox.closed ${approval.id}`)
      assert.notInclude(told(rest, id), `inbox.opened ${approval.id}`)
    })

    it("resume after any event, and miss nothing", async () => {
      const first = await stream()
      const ids = []
      const begun = eventsOf(first)
      const from = (await begun.next()).value as SentEvent
      for (let n = 0; n < 5; n++) ids.push(await world.open())
      await begun.return()
      const last = ids.at(-1)!
      const all = (await read(await stream(from.id!), idle(last))).filter(({ event }) => event === "session.changed")
      assert.deepStrictEqual(
        all.map(({ data }) => data.session.id),
        ids
      )
      for (const [at, { id }] of all.slice(0, -1).entries()) {
        const rest = (await read(await stream(id!), idle(last))).filter(({ event }) => event === "session.changed")
        assert.deepStrictEqual(
          rest.map(({ data }) => data.session.id),
          ids.slice(at + 1)
        )
      }
    })

    it("tell of deletions, and nobody of another workspace", async () => {
      const id = await world.open()
      const [ours, theirs] = [await stream(), await stream(undefined, await world.stranger())]
      await world.fetch(`/v1/sessions/${id}`, { method: "DELETE" })
      const seen = await read(ours, ({ data }) => data.type === "session.deleted" && data.session_id === id)
      assert.isNotEmpty(seen)
      const reader = eventsOf(theirs)
      assert.strictEqual(((await reader.next()).value as SentEvent).event, "at")
      // Nothing else comes: it is asked for a while after ours had it.
      const more = await Promise.race([reader.next(), setTimeout(300)])
      assert.isUndefined(more)
      void reader.return()
    })

    it("begin anew where a place is none, and refuse what is no place", async () => {
      const ahead = eventsOf(await stream("9000000000-1"))
      assert.strictEqual(((await ahead.next()).value as SentEvent).event, "at")
      assert.strictEqual(((await ahead.next()).value as SentEvent).event, "reset")
      await ahead.return()
      for (const bad of ["x", "1", "1-", "-1-1", "1-1-1", "99999999999999999999-1"]) {
        assert.strictEqual((await stream(bad)).status, 400, bad)
      }
    })

    it("are told to nobody whose key was revoked", async () => {
      const { body: key } = await world.post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["read"] })
      const response = await stream(undefined, key.secret)
      const ended = (async () => {
        for await (const _ of eventsOf(response)) continue
      })()
      await endsBy(world.fetch(`/v1/tokens/${key.id}`, { method: "DELETE" }), () => ended)
    })
  })

  describe("sessions, over one socket", () => {
    interface Dialled {
      readonly send: (message: unknown) => void
      /** What came until this was so. */
      readonly until: (is: (message: Body) => boolean) => Promise<ReadonlyArray<Body>>
      readonly waiting: () => number
      readonly closed: Promise<number>
      readonly close: () => void
      acknowledges: boolean
    }

    const dial = async (
      headers: Record<string, string> = { "x-api-key": apiKey },
      path = "/v1/feed"
    ): Promise<Dialled> => {
      const address = `${world.node.gateway.replace("http", "ws")}${path}`
      const socket = new WebSocket(address, { headers } as never)
      const waiting: Array<Body> = []
      let wake = () => {}
      const closed = new Promise<number>((done) => {
        socket.onclose = ({ code }) => {
          done(code)
          wake()
        }
      })
      const send: Dialled["send"] = (message) =>
        socket.send(typeof message === "string" ? message : JSON.stringify(message))
      const dialled: Dialled = {
        acknowledges: true,
        send,
        until: async (is) => {
          const seen: Array<Body> = []
          for (;;) {
            while (waiting.length > 0) {
              const message = waiting.shift()
              seen.push(message)
              if (is(message)) return seen
            }
            if (socket.readyState > 1) throw new Error(`It was closed: ${JSON.stringify(seen.slice(-3))}`)
            await new Promise<void>((next) => {
              wake = next
            })
          }
        },
        waiting: () => waiting.length,
        closed,
        close: () => socket.close()
      }
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data))
        waiting.push(...[message].flat())
        if (dialled.acknowledges) send({ type: "ack", n: message.n })
        wake()
      }
      await new Promise<void>((resolve, reject) => {
        socket.onopen = () => resolve()
        socket.onerror = () => reject(new Error("It was not let in"))
      })
      return dialled
    }
    const refused = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const upgrade = {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
        }
        request(`${world.node.gateway}/v1/feed`, { headers: { ...upgrade, ...headers } })
          .on("response", (response) => {
            response.resume()
            resolve(response.statusCode)
          })
          .on("upgrade", (_, socket) => {
            socket.destroy()
            reject(new Error("It was let in"))
          })
          .on("error", reject)
          .end()
      })
    const isLast = (id: string, seq: number) => (message: Body) =>
      message.type === "event" && message.session_id === id && message.event.seq === seq
    const worked = async () => {
      const id = await world.open()
      await world.say(id, "go")
      await world.until(id, "idle")
      return { id, log: await world.log(id) }
    }

    it("come each from its place on, whole and in order", async () => {
      const [one, two] = [await worked(), await worked()]
      const socket = await dial()
      socket.send({ type: "subscribe", session_id: one.id })
      socket.send({ type: "subscribe", session_id: two.id, after: 3 })
      const seen = await socket.until(isLast(two.id, two.log.length))
      const rest = seen.some(isLast(one.id, one.log.length)) ? [] : await socket.until(isLast(one.id, one.log.length))
      const all = [...seen, ...rest]
      const of = (id: string) => all.filter(({ session_id, type }) => type === "event" && session_id === id)
      assert.deepStrictEqual(
        of(one.id).map(({ event }) => event),
        one.log
      )
      assert.deepStrictEqual(
        of(two.id).map(({ event }) => event),
        two.log.slice(3)
      )
      assert.deepStrictEqual(
        all.map(({ n }) => n),
        all.map((_, index) => index + 1)
      )
      await world.say(one.id, "more")
      await socket.until(isLast(one.id, one.log.length + 1))
      socket.send({ type: "unsubscribe", session_id: one.id })
      socket.send({ type: "subscribe", session_id: two.id, after: two.log.length - 1, types: ["StatusChanged"] })
      const again = await socket.until(isLast(two.id, two.log.length))
      assert.deepStrictEqual(again.filter(({ type }) => type === "subscribed").length, 1)
      socket.close()
    })

    it("come with parts of messages for those who ask", async () => {
      const id = await world.open()
      const socket = await dial()
      socket.send({ type: "subscribe", session_id: id, deltas: true, types: ["MessageBlock"] })
      await socket.until(({ type }) => type === "subscribed")
      world.script(plays(think(3, 400)))
      await world.say(id, "go")
      const seen = await socket.until(({ type }) => type === "event")
      const block = seen.at(-1)!.event.payload
      const deltas = seen.filter(({ type }) => type === "delta")
      assert.isNotEmpty(deltas)
      assert.isTrue(deltas.every(({ delta }) => delta.event_id === block.blockId))
      socket.close()
    })

    it("end by themselves, and leave the others alone", async () => {
      const { id, log } = await worked()
      const gone = await worked()
      const { body: key } = await world.post("/v1/tokens", { kind: "end_user", subject: "ann", session_ids: [id] })
      const socket = await dial({ "x-api-key": key.secret })
      const unknown = `sesn_01${"1".repeat(22)}`
      socket.send({ type: "subscribe", session_id: unknown })
      const [ended] = await socket.until(({ type }) => type === "ended")
      assert.deepStrictEqual([ended.session_id, ended.reason], [unknown, "not_found"])
      socket.send({ type: "subscribe", session_id: gone.id })
      const others = await socket.until(({ type }) => type === "ended")
      assert.strictEqual(others.at(-1)!.reason, "not_found")
      socket.send({ type: "subscribe", session_id: id })
      await socket.until(isLast(id, log.length))
      socket.close()
      const own = await dial()
      own.send({ type: "subscribe", session_id: gone.id })
      await own.until(isLast(gone.id, gone.log.length))
      await world.fetch(`/v1/sessions/${gone.id}`, { method: "DELETE" })
      const last = await own.until(({ type }) => type === "ended")
      assert.strictEqual(last.at(-1)!.reason, "deleted")
      own.close()
    })

    it("wait for who does not acknowledge, and lose nothing", async () => {
      const id = await world.open()
      const events = Array.from({ length: 12 }, () => ({
        type: "user.message",
        content: [{ type: "text", text: "x".repeat(60_000) }]
      }))
      for (let n = 0; n < 2; n++) await world.post(`/v1/sessions/${id}/events`, { events })
      await world.until(id, "idle")
      const log = await world.log(id)
      const bytes = JSON.stringify(log).length
      assert.isAbove(bytes, 1_300_000)
      const socket = await dial()
      socket.acknowledges = false
      socket.send({ type: "subscribe", session_id: id })
      let got = 0
      const some = await socket.until((message) => (got += JSON.stringify(message).length) >= 1_048_576)
      const last = some.at(-1)
      assert.isFalse(isLast(id, log.length)(last))
      // Nothing more is on its way, however long one waits.
      await setTimeout(300)
      assert.strictEqual(socket.waiting(), 0)
      socket.acknowledges = true
      socket.send({ type: "ack", n: last.n })
      const rest = await socket.until(isLast(id, log.length))
      const seqs = [...some, ...rest].flatMap(({ event, type }) => (type === "event" ? [event.seq] : []))
      assert.deepStrictEqual(
        seqs,
        log.map(({ seq }) => seq)
      )
      socket.close()

      // What it is not told of the rest is kept for it as little.
      const asking = await dial()
      asking.acknowledges = false
      asking.send({ type: "subscribe", session_id: id })
      got = 0
      await asking.until((message) => (got += JSON.stringify(message).length) >= 1_048_576)
      let code: number | undefined
      void asking.closed.then((closed) => (code = closed))
      let asked = 0
      for (; code === undefined; asked++) {
        asking.send({ type: "subscribe", session_id: mintId(prng(asked), "Session") })
        await setTimeout(1)
      }
      assert.strictEqual(code, 4408)
      assert.isBelow(asked, 1_500)
    })

    it("are closed to what is no message, and to keys that are revoked", async () => {
      for (const bad of [
        "x",
        "{}",
        { type: "subscribe" },
        { type: "ack", n: 99 },
        { type: "subscribe", session_id: "x" },
        "x".repeat(20_000)
      ]) {
        const socket = await dial()
        socket.send(bad)
        assert.strictEqual(await socket.closed, 4400, JSON.stringify(bad).slice(0, 50))
      }
      const { body: key } = await world.post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["read"] })
      const sockets = [
        await dial({ authorization: `Bearer ${key.secret}` }),
        await dial({ "x-api-key": key.secret }, "/v1/rpc")
      ]
      const revokes = world.fetch(`/v1/tokens/${key.id}`, { method: "DELETE" })
      const codes = await endsBy(revokes, () => Promise.all(sockets.map(({ closed }) => closed)))
      assert.deepStrictEqual(codes, [4401, 4401])
    })

    const calls = (socket: Dialled) => {
      const call = (id: string, tag: string, payload: unknown) =>
        socket.send({ _tag: "Request", id, tag, payload, headers: [] })
      const failed = async (id: string) => {
        const seen = await socket.until(({ _tag, requestId }) => _tag === "Exit" && requestId === id)
        const { cause } = seen.at(-1)!.exit
        return cause.map(({ _tag, error }: Body) => [_tag, error?.type])
      }
      return { call, failed }
    }

    it("follow 500 sessions at once, and say so of more", async () => {
      const { id } = await worked()
      const rpc = await dial({ "x-api-key": apiKey }, "/v1/rpc")
      rpc.acknowledges = false
      const { call } = calls(rpc)
      for (let n = 0; n <= 500; n++) call(`${n}`, "FollowLog", { id, after: 0 })
      const { exit, requestId } = (await rpc.until(({ _tag }) => _tag === "Exit")).at(-1)!
      assert.deepInclude(exit.cause[0].error, { type: "rate_limit_error", code: "too_many_subscriptions", final: true })
      const other = requestId === "0" ? "1" : "0"
      rpc.send({ _tag: "Interrupt", requestId: other })
      await rpc.until((message) => message._tag === "Exit" && message.requestId === other)
      call("again", "FollowLog", { id, after: 0 })
      await rpc.until((message) => message._tag === "Chunk" && message.requestId === "again")
      rpc.close()

      const feed = await dial()
      const owner = ManagedRuntime.make(PgClient.layer({ url: world.database.superuserUrl, maxConnections: 1 }))
      const query = <A extends object>(text: string, params: ReadonlyArray<unknown> = []) =>
        owner.runPromise(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<A>(text, [...params])))
      await manySessions(query, { count: 501, like: id })
      const rows = await query<{ readonly id: string }>(
        "SELECT session_id AS id FROM sessions ORDER BY created_at LIMIT 501"
      )
      await owner.dispose()
      for (const row of rows) feed.send({ type: "subscribe", session_id: fromUuid(prefixes.Session, row.id) })
      const refused = (await feed.until(({ type }) => type === "ended")).at(-1)!
      assert.deepStrictEqual(
        [refused.reason, refused.session_id],
        ["too_many", fromUuid(prefixes.Session, rows[500]!.id)]
      )
      feed.close()
    })

    it("with calls say what is wrong with one that can't be read, and go on", async () => {
      const socket = await dial({ "x-api-key": apiKey }, "/v1/rpc")
      socket.acknowledges = false
      const { call, failed } = calls(socket)
      const { id } = await worked()
      for (const [n, [tag, payload]] of (
        [
          ["FollowLog", { id: 5, after: 0 }],
          ["FollowLog", { id, after: 1.5 }],
          ["FollowLog", { id, after: -1 }],
          ["FollowLog", { id, after: 0, types: "all" }],
          ["RetrieveSession", null],
          ["RetrieveSession", { id: "sesn_x" }],
          ["CreateSession", { body: [] }],
          ["SendEvents", { id, events: [7] }],
          ["AnswerApproval", { id, call: "x", body: {} }],
          ["Dance", {}]
        ] as const
      ).entries()) {
        call(`${n}`, tag, payload)
        assert.deepStrictEqual(
          await failed(`${n}`),
          [["Fail", "invalid_request_error"]],
          `${tag} ${JSON.stringify(payload)}`
        )
      }
      // Nobody is spared an answer.
      socket.send({ _tag: "Request", id: "told", tag: "Dance", payload: {}, headers: [], isNotification: true })
      assert.deepStrictEqual(await failed("told"), [["Fail", "invalid_request_error"]])
      socket.close()
    })

    it("with calls are read no further while nobody takes the answers", async () => {
      const system = "x".repeat(20_000)
      const { body: agent } = await world.post("/v1/agents", { name: "wordy", model: "demo", system })
      const id = await world.open({ agent: agent.id })
      const socket = await deafSocket(`${world.node.gateway}/v1/rpc`)
      const servers = (process as unknown as { _getActiveHandles: () => ReadonlyArray<Socket> })._getActiveHandles()
      const theirs = servers.find(({ remotePort }) => remotePort === socket.localPort)!
      const call = { _tag: "Request", tag: "RetrieveSession", payload: { id }, headers: [] }
      const frames = Array.from({ length: 100_000 }, (_, n) => frameOf(JSON.stringify({ ...call, id: `${n}` })))
      socket.write(Buffer.concat(frames))
      // It is read for as long as answers fit into what nobody has taken yet.
      let waiting = 0
      for (let same = 0; waiting < 1_048_576 || same < 5; same = theirs.writableLength === waiting ? same + 1 : 0) {
        waiting = theirs.writableLength
        assert.isBelow(waiting, 8_000_000)
        await setTimeout(50)
      }
      assert.isAbove(socket.writableLength, 0)
      let taken = 0
      const more = new Promise<void>((resolve) =>
        socket.on("data", ({ length }) => ((taken += length) > 2 * waiting ? resolve() : undefined))
      )
      socket.resume()
      await more
      socket.destroy()
    })

    it("with calls are closed to what is no message, and to numbers that are taken", async () => {
      const { id } = await worked()
      const call = { _tag: "Request", id: "7", tag: "FollowLog", payload: { id, after: 0 }, headers: [] }
      for (const bad of [
        "null",
        { ...call, headers: 5 },
        { ...call, headers: [[1, 2]] },
        { ...call, id: null },
        { _tag: "Dance" },
        "5",
        [call, call],
        "[".repeat(100_000)
      ]) {
        const socket = await dial({ "x-api-key": apiKey }, "/v1/rpc")
        socket.send(bad)
        assert.strictEqual(await socket.closed, 4400, JSON.stringify(bad).slice(0, 50))
      }
    })

    it("are opened with a key, and not by pages of others", async () => {
      const { body: key } = await world.post("/v1/tokens", { kind: "api_key", name: "k", scopes: ["approve"] })
      assert.strictEqual((await world.get("/v1/feed")).status, 426)
      assert.strictEqual(await refused({}), 401)
      assert.strictEqual(await refused({ "x-api-key": key.secret }), 403)
      assert.strictEqual(await refused({ "x-api-key": apiKey, origin: "https://elsewhere.example" }), 403)
    })
  })

  describe("messages that bring their answer", () => {
    const say = (id: string, content: unknown, headers: Record<string, string> = {}) =>
      world.fetch(`/v1/sessions/${id}/messages`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ content })
      })
    const all = async (response: Response) => {
      const seen: Array<SentEvent> = []
      for await (const event of eventsOf(response)) seen.push(event)
      return seen
    }

    it("end when the session rests, and are said once under a key", async () => {
      const id = await world.open()
      const key = { "idempotency-key": "once" }
      const seen = await all(await say(id, "go", key))
      const types = seen.map(({ event }) => event)
      assert.includeMembers(types, ["user.message", "session.status_running", "agent.message"])
      assert.strictEqual(types.at(-1), "session.status_idle")
      await all(await say(id, [{ type: "text", text: "more" }]))
      const again = await all(await say(id, "go", key))
      assert.deepStrictEqual(again, seen)
      const { body } = await world.get(`/v1/sessions/${id}/events?types[]=user.message`)
      assert.lengthOf(body.data, 2)
      assert.strictEqual((await say(id, "other", key)).status, 409)
    })

    it("are refused as events are", async () => {
      const id = await world.open()
      for (const bad of [7, [], [{ type: "dance" }], ["x"], null]) assert.strictEqual((await say(id, bad)).status, 400)
      const stranger = await world.stranger()
      assert.strictEqual((await say(id, "x", { "x-api-key": stranger })).status, 404)
      await world.post(`/v1/sessions/${id}/archive`, {})
      assert.strictEqual((await say(id, "x")).status, 400)
    })
  })

  it("sockets are told when the node stops", async () => {
    const closing = ["/v1/feed", "/v1/rpc"].map(async (path) => {
      const socket = new WebSocket(`${world.node.gateway.replace("http", "ws")}${path}`, {
        headers: { "x-api-key": apiKey }
      } as never)
      const closed = new Promise<number>((resolve) => {
        socket.onclose = ({ code }) => resolve(code)
      })
      await new Promise<void>((resolve, reject) => {
        socket.onopen = () => resolve()
        socket.onerror = () => reject(new Error("It was not let in"))
      })
      return { closed }
    })
    const sockets = await Promise.all(closing)
    await world.end()
    assert.deepStrictEqual(await Promise.all(sockets.map(({ closed }) => closed)), [1012, 1012])
  })
})
