import { assert, describe, it } from "@effect/vitest"
import type { AttemptRef, RunRequest } from "@troupe/domain/runner/Attempt"
import { spoken } from "@troupe/domain/runner/Protocol"
import { Deferred, Effect, Schedule, Stream } from "effect"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { follow, refOf } from "../support/attemptWorld.ts"
import { range } from "../support/journals.ts"
import { runnerId, runRequest } from "../support/requests.ts"
import { spawnProcess, spawnRunner } from "../support/RunnerProcess.ts"
import { scratch } from "../support/scratch.ts"
import { type TestLink, TestNode } from "../support/TestNode.ts"

const asked = (n: number, name: string, more: Partial<RunRequest> = {}): RunRequest => {
  const request = runRequest(n, more)
  return { ...request, agent: { ...request.agent, name } }
}

const node = Effect.gen(function* () {
  const node = new TestNode()
  yield* node.start
  return node
})

const run = (link: TestLink, request: RunRequest) => follow(link.client.Run(request))
const attach = (link: TestLink, attempt: AttemptRef, afterFrame: number) =>
  follow(link.client.Attach({ attempt, afterFrame }))

const minute = { timeout: 60_000 }

describe("A runner's connection", () => {
  it.live(
    "is opened with an identity that a token was exchanged for, once",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        const state = yield* scratch
        const first = yield* spawnRunner({ state, server: home.url, token: "rtok_secret" })
        const link = yield* home.link(1)
        assert.deepStrictEqual(home.registrations, [
          { authorization: "Bearer rtok_secret", body: { name: "test", labels: ["a"] } }
        ])
        assert.strictEqual(statSync(join(state, "identity.json")).mode & 0o777, 0o600)
        assert.notInclude(readFileSync(join(state, "identity.json"), "utf8"), "rtok_secret")
        const request = asked(1, "frames 10 5")
        const owner = yield* run(link, request)
        yield* owner.until(({ frames }) => frames.length === 11)
        yield* link.client.Acknowledge({ attempt: refOf(request), frame: 11, contact: owner.contact })
        assert.strictEqual(yield* owner.ending, "done")
        yield* first.kill
        yield* spawnRunner({ state, server: home.url })
        yield* home.link(2)
        assert.strictEqual(home.registrations.length, 1)
        assert.notInclude(first.output, "secret")
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "is in a version that an older node speaks, and none where it speaks none of ours",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration" })
        const { client } = yield* home.link(1)
        const greeted = (min: number, max: number) =>
          client.Hello({ versions: { min, max }, runnerId, generation: 1, node: "other" })
        assert.strictEqual((yield* greeted(spoken.min, spoken.max)).version, spoken.max)
        assert.strictEqual((yield* greeted(spoken.min - 1, spoken.min)).version, spoken.min)
        const refused = yield* Effect.flip(greeted(spoken.max + 1, spoken.max + 2))
        assert.match(
          refused.message,
          /the node speaks versions 3 to 4 of the protocol, the runner versions 1 to 2: update the runner/
        )
        assert.deepStrictEqual(yield* client.Places(), [])
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "is one for each state directory: a second runner fails at once, and names the first",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        const state = yield* scratch
        const first = yield* spawnRunner({ state, server: home.url, token: "t-registration" })
        yield* home.link(1)
        const main = join(import.meta.dirname, "../../src/main.ts")
        const second = yield* spawnProcess([main, "--server", home.url, "--state", state])
        assert.strictEqual(yield* Effect.promise(() => second.exit), 3)
        assert.include(second.output, `process ${first.child.pid}`)
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "that never was accepted is given up; one that was is tried again",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        const state = yield* scratch
        home.refuse = 401
        const refused = yield* spawnRunner({ state, server: home.url, token: "t-registration" })
        assert.strictEqual(yield* Effect.promise(() => refused.exit), 7)
        home.refuse = null
        const runner = yield* spawnRunner({ state, server: home.url })
        const link = yield* home.link(1)
        home.refuse = 503
        link.ws.terminate()
        yield* home.signal.until(() => home.refusals.length >= 3)
        home.refuse = null
        yield* home.link(2)
        assert.strictEqual(runner.child.exitCode, null)
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "is cut while a result is made, and nothing of it is lost or doubled",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration" })
        const link = yield* home.link(1)
        const request = asked(1, "tool 300")
        const attempt = refOf(request)
        const owner = yield* run(link, request)
        yield* owner.until(({ frames, contact }) => frames.length === 1 && contact > 0)
        home.refuse = 503
        yield* link.client.Acknowledge({ attempt, frame: 1, contact: owner.contact })
        link.ws.terminate()
        yield* home.signal.until(() => home.refusals.length >= 2)
        home.refuse = null
        const next = yield* home.link(2)
        const again = yield* attach(next, { ...attempt, epoch: 2 }, 1)
        yield* again.until(({ tags }) => tags.includes("Completed"))
        assert.deepStrictEqual(again.tags, ["ToolFinished", "Completed"])
        assert.deepStrictEqual(again.numbers, [2, 3])
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "ends when garbage comes over it, and is made anew",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration" })
        const first = yield* home.link(1)
        first.ws.send(Buffer.from("\u0000\u0001 this is no message of the protocol \uffff".repeat(9)))
        yield* Deferred.await(first.closed)
        const second = yield* home.link(2)
        second.ws.send(Buffer.alloc(17 * 1_048_576, 1))
        yield* Deferred.await(second.closed)
        const third = yield* home.link(3)
        const load = yield* third.client.Ping({ n: 1 })
        assert.deepStrictEqual(load, { attempts: 0, sessions: 0, draining: false })
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "ends when no node is heard, though it is open",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration", silentMs: 1_500 })
        const first = yield* home.link(1)
        home.pings = false
        yield* Deferred.await(first.closed)
        home.pings = true
        yield* home.link(2)
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "of a frozen runner goes on when it wakes up",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        const runner = yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration" })
        const link = yield* home.link(1)
        const request = asked(1, "frames 300 10")
        const owner = yield* run(link, request)
        yield* owner.until(({ frames }) => frames.length > 0)
        runner.signal("SIGSTOP")
        yield* Effect.sleep(2_000)
        runner.signal("SIGCONT")
        yield* owner.until(({ tags }) => tags.includes("Completed"))
        assert.deepStrictEqual(owner.numbers, range(1, 301))
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "carries no more for an owner that another one has followed",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration" })
        const link = yield* home.link(1)
        const request = asked(1, "never")
        const old = yield* run(link, request)
        yield* old.until(({ contact }) => contact > 0)
        const next = yield* attach(link, { ...refOf(request), epoch: 5 }, 0)
        yield* next.until(({ contact }) => contact > 0)
        assert.strictEqual(yield* old.ending, "EpochRefused")
        const refused = yield* Effect.flip(
          link.client.Deliver({ attempt: refOf(request), delivery: { _tag: "Interrupt" } })
        )
        assert.strictEqual(refused._tag, "EpochRefused")
      }).pipe(Effect.scoped),
    minute
  )

  it.live(
    "of a killed runner comes back with all that was received, without a gap, and says that it was started again",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        const state = yield* scratch
        let runner = yield* spawnRunner({ state, server: home.url, token: "t-registration" })
        const rounds = 8
        for (let round = 1; round <= rounds; round++) {
          const link = yield* home.link(round)
          const request = asked(round, "together 100000 100")
          const attempt = refOf(request)
          const owner = yield* run(link, request)
          yield* owner.until(({ frames }) => frames.length > 100 * round)
          yield* runner.kill
          yield* owner.ending
          const received = owner.numbers.at(-1)!
          runner = yield* spawnRunner({ state, server: home.url })
          const next = yield* home.link(round + 1)
          const after = Math.floor(received / 2)
          const again = yield* attach(next, attempt, after)
          yield* again.until(({ tags }) => tags.includes("Failed"))
          assert.deepStrictEqual(again.numbers, range(after + 1, again.numbers.at(-1)!))
          assert.isAbove(again.numbers.at(-1)!, received)
          assert.deepStrictEqual(again.frames.slice(0, received - after), owner.frames.slice(after))
          yield* next.client.Acknowledge({ attempt, frame: again.numbers.at(-1)!, contact: 0 })
          assert.strictEqual(yield* again.ending, "done")
        }
      }).pipe(Effect.scoped),
    { timeout: 120_000 }
  )

  it.live(
    "to a slow owner lets 100 MB wait on the disk, and not in memory",
    () =>
      Effect.gen(function* () {
        const home = yield* node
        const runner = yield* spawnRunner({ state: yield* scratch, server: home.url, token: "t-registration" })
        const link = yield* home.link(1)
        const request = asked(1, "together 100000 1000")
        const slow = Stream.tap(link.client.Run(request), () => Effect.sleep(100))
        const owner = yield* follow(slow)
        const journaled = Effect.map(
          link.client.Hello({ versions: spoken, runnerId, generation: 1, node: "test" }),
          ({ attempts }) => attempts[0]?.frame ?? 0
        )
        const reached = (frame: number) =>
          Effect.repeat(Effect.delay(journaled, 50), { until: (now) => now >= frame, schedule: Schedule.forever })
        yield* reached(20_000)
        const early = runner.residentKiB
        yield* reached(100_001)
        const late = runner.residentKiB
        // Garbage comes and goes by tens of megabytes; 80,000 frames that were kept would be 100.
        assert.isBelow(late - early, 95 * 1_024, `${early} KiB became ${late} KiB`)
        assert.isBelow(owner.numbers.length, 50_000)
        assert.deepStrictEqual(owner.numbers, range(1, owner.numbers.length))
      }).pipe(Effect.scoped),
    { timeout: 180_000 }
  )
})
