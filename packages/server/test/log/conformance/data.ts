import { assert, type Vitest } from "@effect/vitest"
import { Effect, Option } from "effect"
import { EventStore } from "../../../src/log/EventStore.ts"
import {
  LogWriter,
  markOf,
  newWorkspaceId,
  opened,
  type Plan,
  rejectionOf,
  summaryOf
} from "../../support/LogWriter.ts"
import { nul, verdictOf, verify } from "./judging.ts"

const kinds = ["good", "Fenced", "VersionConflict", "Duplicate", "NoStream", "BadData"] as const

export const data = (it: Vitest.MethodsNonLive<EventStore>) => {
  it.effect("lets only the bad ones of a batch fail, whatever is bad about them", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writers = yield* Effect.all(
        Array.from({ length: 40 }, () => opened()),
        { concurrency: 8 }
      )
      const twice = markOf()
      const bad = new Map<number, Plan>([
        [3, { payloads: [`"${nul}"`] }],
        [8, { payloads: ["{}", "{nonsense"] }],
        [13, { actorText: nul }],
        [14, { payloads: [`"${"\ud800"}"`] }],
        [20, { mark: { ...markOf(), body: nul } }],
        [21, { mark: twice, rejections: [rejectionOf(twice.commandId, 0)] }],
        [30, { summary: summaryOf({ title: `a${nul}b` }) }],
        [31, { summary: summaryOf({ tokens: 1e30 }) }],
        [32, { summary: summaryOf({ agentId: "nobody" }) }],
        [39, { mark: { ...markOf(), digest: "00" } }]
      ])
      const verdicts = yield* Effect.forEach(writers, (writer, index) => verdictOf(writer.write(bad.get(index))), {
        concurrency: "unbounded"
      })
      for (const [index, verdict] of verdicts.entries()) {
        assert.strictEqual(verdict, bad.has(index) ? "BadData" : "good", `append ${index}`)
        const { version } = Option.getOrThrow(yield* store.head(writers[index]!.streamId))
        assert.strictEqual(version, bad.has(index) ? 0 : 1, `append ${index}`)
      }
    })
  )

  it.effect("answers each of a mixed batch for itself", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const workspaceId = newWorkspaceId()
      const writers = yield* Effect.all(
        Array.from({ length: 60 }, () => opened({ workspaceId })),
        { concurrency: 8 }
      )
      const known = markOf()
      yield* Effect.forEach(writers, (writer) => writer.write({ mark: known }), { concurrency: "unbounded" })
      const payloads = ["1", "2", "3"]
      const plan = (writer: LogWriter, kind: (typeof kinds)[number]) => {
        switch (kind) {
          case "Fenced":
            return writer.plan({ payloads, at: { epoch: 7 } })
          case "VersionConflict":
            return writer.plan({ payloads, at: { version: 0 } })
          case "Duplicate":
            return writer.plan({ payloads, mark: known })
          case "NoStream":
            return new LogWriter({ workspaceId }).plan({ payloads, at: { epoch: 1 } })
          case "BadData":
            return writer.plan({ payloads: ["1", `"${nul}"`, "3"] })
          case "good":
            return writer.plan({ payloads })
        }
      }
      const kindOf = (index: number) => kinds[index % kinds.length]!
      const append = (writer: LogWriter, index: number) => verdictOf(store.append(plan(writer, kindOf(index))))
      const verdicts = yield* Effect.forEach(writers, append, { concurrency: "unbounded" })
      for (const [index, verdict] of verdicts.entries()) {
        assert.strictEqual(verdict, kindOf(index), `append ${index}`)
        const events = yield* store.read(writers[index]!.streamId, { after: 0, limit: 10 })
        const seqs = verdict === "good" ? [1, 2, 3, 4] : [1]
        assert.deepStrictEqual(
          events.map(({ seq }) => seq),
          seqs,
          `append ${index}`
        )
      }
    })
  )

  it.effect("keeps the bytes of escaped NULs, lone surrogates, odd numbers and spaces", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const writer = yield* opened()
      const payloads = [
        String.raw`{"a":"\u0000","b":"\ud800","c":"\udc00\ud800"}`,
        `{"n":1.0e+2,"m":12345678901234567890123456789,"z":-0.0}`,
        `{ "twice" : 1,\t"twice" : 2 }`,
        JSON.stringify({ text: "\ud800 \u2028 ünï → 🜁 \u007f" })
      ]
      const actorText = String.raw`{"type":"member","id":"\u0000 ü"}`
      const body = String.raw`{"x":"\ud800"}`
      yield* writer.write({ payloads, actorText, mark: { ...markOf(), body } })
      const events = yield* store.read(writer.streamId, { after: 0, limit: 10 })
      assert.deepStrictEqual(
        events.map(({ payload }) => payload),
        payloads
      )
      assert.isTrue(events.every((event) => event.actorText === actorText))
      assert.strictEqual((yield* store.commands(writer.streamId, { after: null, limit: 1 }))[0]?.body, body)
      assert.strictEqual(verify(events), writer.tail.chain)
    })
  )

  it.effect("takes large payloads, also together", () =>
    Effect.gen(function* () {
      const store = yield* EventStore
      const large = JSON.stringify("x".repeat(3_000_000))
      const writers = yield* Effect.all(Array.from({ length: 4 }, () => opened()))
      const write = (writer: LogWriter) => writer.write({ payloads: [large, "1"] })
      yield* Effect.forEach(writers, write, { concurrency: "unbounded" })
      const [first] = yield* store.read(writers[3]!.streamId, { after: 0, limit: 1 })
      assert.isTrue(first?.payload === large)
    })
  )
}
