import { assert, describe, it } from "@effect/vitest"
import { Limits } from "@troupe/domain/Limits"
import { text } from "@troupe/domain/session/Content"
import { foldVersion, type OpenSession } from "@troupe/domain/session/SessionState"
import * as Snapshot from "@troupe/domain/session/Snapshot"
import { Effect, Fiber, Logger, Option, Result } from "effect"
import type { EventStore } from "../../src/log/EventStore.ts"
import * as ActorWorld from "./actorWorld.ts"
import { ask, settled } from "./actorWorld.ts"

const tagOf = (result: Result.Result<unknown, { readonly _tag: string }>) =>
  Result.isSuccess(result) ? "Accepted" : result.failure._tag

describe("a session's actor", () => {
  it.effect("decides what waits in the order it came, and appends it in one statement", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      world.held.hold()
      const first = yield* ask(handle(world.title("first")))
      const titles = Array.from({ length: Limits.commandsPerAppendMax + 6 }, (_, index) => `title ${index}`)
      const rest = yield* Effect.forEach(titles, (title) => ask(handle(world.title(title))))
      world.held.release()
      const answers = yield* Effect.forEach([first, ...rest], Fiber.join)
      assert.deepStrictEqual(
        answers.map((one) => Result.getOrThrow(one).seq),
        Array.from({ length: titles.length + 1 }, (_, index) => index + 2)
      )
      assert.deepStrictEqual(
        world.held.appends.slice(1).map(({ events }) => events.length),
        [1, Limits.commandsPerAppendMax, 6]
      )
    })
  )

  it.effect("lets nothing out before it is committed", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      const [published, reacted] = [world.published.length, world.reacted.length]
      world.held.hold()
      const asked = yield* ask(handle(world.send()))
      assert.strictEqual(world.held.appends.length, 2)
      assert.deepStrictEqual([world.published.length, world.reacted.length], [published, reacted])
      assert.isUndefined(asked.pollUnsafe())
      world.held.release()
      assert.strictEqual(tagOf(yield* Fiber.join(asked)), "Accepted")
      assert.deepStrictEqual([world.published.length, world.reacted.length], [published + 1, reacted + 1])
    })
  )

  it.effect("answers a command once and for all, whenever it comes again", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { close, handle } = yield* world.actor()
      yield* handle(world.open())
      const command = world.send()
      world.held.hold()
      yield* ask(handle(world.title("keeps the actor busy")))
      const together = yield* Effect.forEach([command, command], (one) => ask(handle(one)))
      world.held.release()
      const [one, two] = yield* Effect.forEach(together, Fiber.join)
      assert.deepStrictEqual(one, two)
      const later = yield* handle(command)
      assert.strictEqual(later.seq, Result.getOrThrow(one!).seq)
      yield* close
      const next = yield* world.actor()
      assert.strictEqual((yield* next.handle(command)).seq, later.seq)
      assert.strictEqual((yield* world.events).filter((type) => type === "MessageReceived").length, 1)
    })
  )

  it.effect("refuses another body under an id that was taken, in one batch and later", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      const command = world.send()
      const other = world.reuse(command)
      world.held.hold()
      yield* ask(handle(world.title("keeps the actor busy")))
      const together = yield* Effect.forEach([command, other], (one) => ask(handle(one)))
      world.held.release()
      assert.deepStrictEqual((yield* Effect.forEach(together, Fiber.join)).map(tagOf), ["Accepted", "CommandIdReused"])
      assert.strictEqual(tagOf(yield* Effect.result(handle(other))), "CommandIdReused")
    })
  )

  it.effect("takes an input once, also when all that came of it is over", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const first = yield* world.actor()
      yield* first.handle(world.open())
      const input = { _tag: "SystemMessage", inputId: world.message().inputId, content: text("be brief") } as const
      yield* first.handle(world.send(input))
      yield* first.close
      const { handle } = yield* world.actor()
      const again = world.send(world.message(), input)
      const taken = { _tag: "IdTaken", id: input.inputId } as const
      assert.deepInclude(yield* Effect.flip(handle(again)), { reason: taken })
      // Its retry gets the same answer, and what waits beside another such command goes on.
      assert.deepInclude(yield* Effect.flip(handle(again)), { reason: taken })
      world.held.hold()
      yield* ask(handle(world.title("keeps the actor busy")))
      const together = [world.send(), world.send(input), world.send({ ...input, inputId: world.message().inputId })]
      const asked = yield* Effect.forEach(together, (one) => ask(handle(one)))
      world.held.release()
      const answers = yield* Effect.forEach(asked, Fiber.join)
      assert.deepStrictEqual(answers.map(tagOf), ["Accepted", "CommandRejected", "Accepted"])
    })
  )

  it.effect("takes an input once in one batch", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      const input = { _tag: "SystemMessage", inputId: world.message().inputId, content: text("be brief") } as const
      world.held.hold()
      yield* ask(handle(world.title("keeps the actor busy")))
      const asked = yield* Effect.forEach([world.send(input), world.send(input)], (one) => ask(handle(one)))
      world.held.release()
      const answers = yield* Effect.forEach(asked, Fiber.join)
      assert.deepStrictEqual(answers.map(tagOf), ["Accepted", "CommandRejected"])
    })
  )

  it.effect("refuses again what it refused for good, whatever has changed since", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      const taken = world.message()
      const command = world.send(taken, taken)
      const first = yield* Effect.flip(handle(command))
      assert.deepInclude(first, { _tag: "CommandRejected" })
      yield* handle(world.pause())
      assert.deepStrictEqual(yield* Effect.flip(handle(command)), first)
      assert.notInclude(yield* world.events, "MessageReceived")
    })
  )

  it.effect("says what it answered first where it would now say to try again", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      yield* handle(world.pause())
      const commands = Array.from({ length: Limits.queuedTurnsMax / 50 }, () =>
        world.send(...Array.from({ length: 50 }, () => world.message()))
      )
      const answers = yield* Effect.forEach(commands, handle)
      assert.deepInclude(yield* Effect.flip(handle(world.send())), {
        reason: { _tag: "QueueFull", max: 1_000, retryAfterMs: 1_000 }
      })
      assert.strictEqual((yield* handle(commands[3]!)).seq, answers[3]!.seq)
    })
  )

  it.effect("takes no command that is too large", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor({ commandBytesMax: 4_000 })
      yield* handle(world.open())
      const error = yield* Effect.flip(handle(world.title("é".repeat(2_000))))
      assert.deepInclude(error, { _tag: "CommandTooLarge", bytesMax: 4_000 })
      assert.strictEqual(world.held.appends.length, 1)
    })
  )

  it.effect("takes no more than it can hold, and all of its own", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor({ mailboxMax: 3 })
      yield* handle(world.open())
      world.held.hold()
      const titles = ["is being written", "a", "b", "c"]
      const asked = yield* Effect.forEach(titles, (title) => ask(handle(world.title(title))))
      assert.deepInclude(yield* Effect.flip(handle(world.title("d"))), { _tag: "Overloaded" })
      const own = yield* ask(handle(world.command({ _tag: "Wake" })))
      world.held.release()
      assert.deepStrictEqual((yield* Effect.forEach([...asked, own], Fiber.join)).map(tagOf), Array(5).fill("Accepted"))
      assert.strictEqual(tagOf(yield* Effect.result(handle(world.title("d")))), "Accepted")
    })
  )

  it.effect("lets a command that can't be stored fail alone", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      world.held.hold()
      yield* ask(handle(world.title("keeps the actor busy")))
      const bad = `a${String.fromCharCode(0)}b`
      const asked = yield* Effect.forEach(["one", "two", bad], (title) => ask(handle(world.title(title))))
      world.held.release()
      const [one, two, three] = yield* Effect.forEach(asked, Fiber.join)
      assert.deepStrictEqual(
        [one, two].map((answer) => tagOf(answer!)),
        ["Accepted", "Accepted"]
      )
      const error = Option.getOrThrow(Result.getFailure(three!))
      assert.deepInclude(error, { _tag: "CommandUnstorable", field: "title" })
      assert.strictEqual((yield* world.events).length, 4)
    })
  )

  it.effect("tells whose answer can't be read any more, and answers those beside it", () =>
    Effect.gen(function* () {
      const unread = [`{"_tag":"FromTheFuture"}`, `{"_tag":"IdTaken"}`, "null", "{", ""]
      for (const stored of unread) {
        const world = yield* ActorWorld.make
        const { handle } = yield* world.actor()
        yield* handle(world.open())
        const input = { _tag: "SystemMessage", inputId: world.message().inputId, content: text("be brief") } as const
        yield* handle(world.send(input))
        const refused = world.send(world.message(), input)
        assert.strictEqual(tagOf(yield* Effect.result(handle(refused))), "CommandRejected")
        const { receipts } = world.memory
        const spoiled: EventStore["Service"]["receipts"] = (streamId, ids) =>
          Effect.map(receipts(streamId, ids), (found) =>
            found.map((one) => (one._tag === "Rejected" ? { ...one, reason: stored } : one))
          )
        Object.assign(world.held.store, { receipts: spoiled })
        world.held.hold()
        yield* ask(handle(world.title("keeps the actor busy")))
        const asked = yield* Effect.forEach([world.title("one"), refused, world.title("two")], (one) =>
          ask(handle(one))
        )
        world.held.release()
        const answers = yield* Effect.forEach(asked, Fiber.join)
        assert.deepStrictEqual(answers.map(tagOf), ["Accepted", "ReceiptUnreadable", "Accepted"], stored)
        const error = Option.getOrThrow(Result.getFailure(answers[1]!))
        assert.deepInclude(error, { commandId: refused.commandId })
        assert.deepStrictEqual((yield* world.events).slice(-3), Array(3).fill("SessionUpdated"))
      }
    })
  )

  it.effect("survives a command that breaks the rules' code", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      const broken = world.command({ _tag: "Send", inputs: null } as never)
      assert.deepInclude(yield* Effect.flip(handle(broken)), { _tag: "CommandBroken", commandId: broken.commandId })
      assert.strictEqual((yield* handle(world.title("fine"))).seq, 2)
    })
  )

  it.effect("refuses commands to what was never opened, and a key that another session has", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { current, handle } = yield* world.actor()
      assert.deepInclude(yield* Effect.flip(handle(world.send())), { reason: { _tag: "NotOpen" } })
      assert.deepInclude(yield* current, { epoch: 0, version: 0 })
      yield* handle(world.open())
      assert.deepInclude(yield* Effect.flip(handle(world.open())), { reason: { _tag: "AlreadyOpen" } })
    })
  )

  it.effect("finishes what a caller asked for who has gone away", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      world.held.hold()
      const [busy, waits] = yield* Effect.forEach([world.title("one"), world.send()], (one) => ask(handle(one)))
      yield* Fiber.interrupt(busy!)
      yield* Fiber.interrupt(waits!)
      world.held.release()
      yield* settled
      assert.includeMembers([...(yield* world.events)], ["SessionUpdated", "MessageReceived"])
    })
  )

  it.effect("finishes what it has begun when it is shut down, and sends the rest elsewhere", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { close, current, handle, wake } = yield* world.actor()
      yield* handle(world.open())
      world.held.hold()
      const begun = yield* ask(handle(world.title("one")))
      const waiting = yield* Effect.forEach([handle(world.send()), wake], (one) => ask<unknown, { _tag: string }>(one))
      const closing = yield* ask(close)
      world.held.release()
      yield* Fiber.join(closing)
      assert.strictEqual(tagOf(yield* Fiber.join(begun)), "Accepted")
      assert.deepStrictEqual((yield* Effect.forEach(waiting, Fiber.join)).map(tagOf), ["SessionMoved", "SessionMoved"])
      assert.strictEqual(tagOf(yield* Effect.result(handle(world.send()))), "SessionMoved")
      assert.strictEqual(tagOf(yield* Effect.result(wake)), "SessionMoved")
      assert.notInclude(yield* world.events, "MessageReceived")
      assert.strictEqual(tagOf(yield* Effect.result(current)), "Accepted")
    })
  )

  it.effect("starts from the snapshot that the one before it left", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const first = yield* world.actor()
      yield* first.handle(world.open())
      yield* first.handle(world.send())
      const before = yield* first.current
      yield* first.close
      // What was to be opened had no snapshot, so its log was looked for.
      const readsBefore = world.held.readAfter.length
      const second = yield* world.actor()
      assert.deepStrictEqual((yield* second.current).state, before.state)
      assert.strictEqual(world.held.readAfter.length, readsBefore)
    })
  )

  it.effect("takes for a snapshot only what was saved as one, and folds its log otherwise", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { sessionId: streamId } = world
      const first = yield* world.actor()
      yield* first.handle(world.open())
      yield* first.handle(world.title("a title"))
      yield* first.close
      const { state: written, version } = world.memory.dump(streamId)!.snapshot!
      const json = Snapshot.jsonIn(written)
      const state = JSON.parse(json) as OpenSession
      const { title: _, ...untitled } = state
      const others: Record<string, { readonly state: string; readonly of?: number }> = {
        "no JSON": { state: "not JSON" },
        null: { state: "null" },
        "an object without anything": { state: "{}" },
        "a list": { state: "[]" },
        "nothing at all": { state: "" },
        "a state without its proof": { state: json },
        "a field missing": { state: written.replace(json, JSON.stringify(untitled)) },
        "a field of another type": { state: written.replace(`"threads":[`, `"threads":{"0":[`) },
        "another letter": { state: written.replace("a title", "b title") },
        "one of another version": { state: Snapshot.write(ActorWorld.sha256, version - 1, state) },
        "one of an older fold": { state: written, of: foldVersion - 1 }
      }
      for (const [name, { of = foldVersion, state }] of Object.entries(others)) {
        const told: Array<string> = []
        const listen = Logger.make(({ message }) => void told.push(String(message)))
        world.memory.dump(streamId)!.snapshots.clear()
        yield* world.memory.saveSnapshot({ streamId, foldVersion: of, version, state })
        const next = yield* Effect.provide(world.actor(), Logger.layer([listen]))
        const found = yield* Effect.provide(next.current, Logger.layer([listen]))
        assert.deepInclude(found.state, { title: "a title" }, name)
        assert.strictEqual((yield* next.handle(world.title("a title"))).seq, found.version + 1, name)
        assert.strictEqual(told.length, of === foldVersion ? 1 : 0, name)
      }
    })
  )

  it.effect("leaves no snapshot of what is being taken out", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { close, handle } = yield* world.actor()
      yield* handle(world.open())
      const asked = {
        _tag: "RequestRedaction",
        seqs: [1],
        reason: "asked for",
        replacements: ["0".repeat(64)]
      } as const
      yield* handle(world.command(asked))
      yield* close
      assert.isNull(world.memory.dump(world.sessionId)?.snapshot)
      const next = yield* world.actor()
      yield* next.handle(world.command({ _tag: "ConfirmRedaction", seqs: [1] }))
      // What it was confirmed on was folded from the log as it is now, and so is what lists show from here on.
      assert.isNotNull(world.held.appends.at(-1)!.summary)
      yield* next.close
      assert.strictEqual(world.memory.dump(world.sessionId)?.snapshot?.version, 3)
    })
  )

  it.effect("leaves a snapshot every so often", () =>
    Effect.gen(function* () {
      const world = yield* ActorWorld.make
      const { handle } = yield* world.actor()
      yield* handle(world.open())
      yield* Effect.forEach(Array.from({ length: 520 }), () => handle(world.title("t")))
      assert.strictEqual(world.memory.dump(world.sessionId)?.snapshot?.version, 500)
    })
  )
})
