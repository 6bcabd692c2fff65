import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { HomeLock } from "../../src/postgres/HomeLock.ts"
import { startTicks } from "../../src/postgres/ProcessInfo.ts"
import { temporaryDirectory } from "../support/EmbeddedHome.ts"

const program = join(import.meta.dirname, "fixtures/hold-home.ts")

/** Another process that takes the home when told to. */
class Contender {
  readonly process: ChildProcess
  readonly lines: AsyncIterator<string>

  constructor(home: string) {
    this.process = spawn(process.execPath, [program, home], { stdio: ["pipe", "pipe", "inherit"] })
    this.lines = createInterface({ input: this.process.stdout as Readable })[Symbol.asyncIterator]()
  }

  readonly tell = (what: "take" | "leave"): Effect.Effect<string> =>
    Effect.promise(async () => {
      this.process.stdin?.write(`${what}\n`)
      return (await this.lines.next()).value
    })

  readonly kill: Effect.Effect<void> = Effect.promise(async () => {
    const ended = this.process.signalCode === null ? once(this.process, "exit") : undefined
    this.process.kill("SIGKILL")
    await ended
  })
}

const contender = (home: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Contender(home)),
    ({ kill }) => kill
  )

const acquire = (home: string) => Effect.scoped(Layer.build(HomeLock.layer(home)))

describe("HomeLock", { timeout: 60_000 }, () => {
  it.live("refuses a second holder at once, and says who the first is", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const context = yield* Layer.build(HomeLock.layer(home))
      const first = yield* HomeLock.pipe(Effect.provideContext(context))
      const refusal = yield* Effect.flip(acquire(home))
      assert(refusal._tag === "HomeLocked")
      assert.match(
        refusal.message,
        new RegExp(`^${home} is in use by process ${process.pid} since \\d{4}-\\d\\d-\\d\\dT[^,]+Z\\. Stop it`)
      )
      yield* first.announce("http://127.0.0.1:4777")
      assert.include((yield* Effect.flip(acquire(home))).message, ", which serves http://127.0.0.1:4777.")
    })
  )

  it.live("is free again when its holder is done", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      yield* acquire(home)
      yield* acquire(home)
      assert.isFalse(existsSync(join(home, "lock.json")))
    })
  )

  it.live("is one lock under all names of the home", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const home = join(directory, "home")
      yield* Layer.build(HomeLock.layer(home))
      symlinkSync(home, join(directory, "alias"))
      const refusal = yield* Effect.flip(acquire(join(directory, "alias")))
      assert.include(refusal.message, `${home} is in use`)
    })
  )

  it.live("is kept through a refused attempt of the same process", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      yield* Layer.build(HomeLock.layer(home))
      yield* Effect.flip(acquire(home))
      const other = yield* contender(home)
      assert.include(yield* other.tell("take"), "in use by")
    })
  )

  it.live("outlives nobody: a killed holder leaves nothing to clear away", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* contender(home)
      assert.strictEqual(yield* first.tell("take"), "held")
      assert.include((yield* Effect.flip(acquire(home))).message, `process ${first.process.pid}`)
      yield* first.kill
      assert.isTrue(existsSync(join(home, "lock.json")))
      yield* acquire(home)
    })
  )

  it.live("does not name a process that only has the number of a former holder", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* contender(home)
      yield* first.tell("take")
      const file = join(home, "lock.json")
      const holder = JSON.parse(readFileSync(file, "utf8"))
      writeFileSync(file, JSON.stringify({ ...holder, pid: process.pid, startTicks: `${startTicks(process.pid)}0` }))
      assert.include((yield* Effect.flip(acquire(home))).message, "in use by another process.")
    })
  )

  it.live("has exactly one winner among ten processes, round after round, whether winners leave or are killed", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const contenders = yield* Effect.all(Array.from({ length: 10 }, () => contender(home)))
      for (let round = 0; round < 40; round++) {
        const said = yield* Effect.all(
          contenders.map(({ tell }) => tell("take")),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(said.filter((line) => line === "held").length, 1, said.join("\n"))
        const index = said.indexOf("held")
        const winner = contenders[index] as Contender
        for (const line of said) {
          if (line !== "held") assert.include(line, `in use by process ${winner.process.pid} since`)
        }
        if (round % 8 === 7) {
          yield* winner.kill
          contenders[index] = yield* contender(home)
        } else {
          yield* winner.tell("leave")
        }
      }
    })
  )

  it.live("can be waited for", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryDirectory, "home")
      const first = yield* contender(home)
      yield* first.tell("take")
      yield* Effect.forkScoped(Effect.delay(first.kill, 200))
      yield* Effect.scoped(Layer.build(HomeLock.layerWait(home, 10_000)))
    })
  )

  it.live("says when the home cannot be a home", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryDirectory, "file")
      writeFileSync(file, "")
      assert.include((yield* Effect.flip(acquire(join(file, "home")))).message, "as TROUPE_HOME: ENOTDIR")
    })
  )
})
