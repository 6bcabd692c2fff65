import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { withoutSecrets } from "../../src/journal/JournaledRequest.ts"
import { append, life, numbers, openJournal, range, readAll } from "../support/journals.ts"
import {
  attemptId,
  completed,
  failed,
  modelStarted,
  runRequest,
  sessionId,
  subagentStarted,
  title,
  toolFinished,
  toolStarted
} from "../support/requests.ts"
import { scratch } from "../support/scratch.ts"

const request = withoutSecrets(runRequest(1))
const small = { segmentBytes: 2_048, closingBytes: 4_096 }
const folder = (directory: string) => join(directory, "attempts", attemptId(1))
const segments = (directory: string) =>
  readdirSync(folder(directory))
    .filter((name) => name.startsWith("frames-"))
    .sort()

describe("A journal", () => {
  it.effect("numbers frames from one, and has them when it is opened again", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, small, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          const ns = yield* Effect.forEach(range(1, 100), (n) => append(attempt, title(`t${n}`)), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(ns, range(1, 100))
        })
      )
      const journal = yield* openJournal(directory, small)
      assert.strictEqual(journal.found.length, 1)
      const [attempt] = journal.found
      assert.strictEqual(attempt!.last, 100)
      const frames = yield* readAll(attempt!, 0)
      assert.deepStrictEqual(numbers(frames), range(1, 100))
      assert.deepStrictEqual(frames[41]!.body, title("t42"))
      assert.deepStrictEqual(numbers(yield* readAll(attempt!, 57)), range(58, 100))
      assert.strictEqual(yield* append(attempt!, title("more")), 101)
    }).pipe(Effect.scoped)
  )

  it.effect("does not write the secrets of a request", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const journal = yield* openJournal(directory)
      yield* append(yield* journal.create(request), title("begun"))
      const text = readFileSync(join(folder(directory), "request.json"), "utf8")
      assert.notInclude(text, '"secrets"')
      assert.strictEqual(statSync(join(folder(directory), "request.json")).mode & 0o777, 0o600)
    }).pipe(Effect.scoped)
  )

  it.effect("writes what is in no hurry with the next that is, or soon by itself", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const attempt = yield* (yield* openJournal(directory)).create(request)
      const written: Array<unknown> = []
      attempt.append(title("later"), (result) => written.push(result), true)
      assert.strictEqual(yield* append(attempt, title("now")), 2)
      assert.deepStrictEqual(written, [1])
      yield* Effect.promise(() => new Promise((done) => attempt.append(title("alone"), done, true)))
      attempt.append(title("last"), () => {}, true)
      yield* Effect.promise(() => attempt.close("unknown", failed))
      const frames = yield* readAll(attempt, 0)
      assert.deepStrictEqual(
        frames.map(({ body, n }) => [n, body]),
        [title("later"), title("now"), title("alone"), title("last"), failed].map((body, index) => [index + 1, body])
      )
    }).pipe(Effect.scoped)
  )

  it.effect("takes an attempt whose request did not come to its place for one that was never heard of", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, {}, (journal) => journal.create(request))
      renameSync(join(folder(directory), "request.json"), join(folder(directory), "request.json.new"))
      const journal = yield* openJournal(directory)
      assert.deepStrictEqual(journal.found, [])
      assert.strictEqual(journal.forgotten(attemptId(1)), undefined)
      assert.deepStrictEqual(journal.findings, [])
      yield* append(yield* journal.create(request), title("begun"))
    }).pipe(Effect.scoped)
  )

  it.effect("lets go of what is acknowledged, file by file, and still knows what is open", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, small, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          yield* append(attempt, toolStarted(7))
          yield* append(attempt, modelStarted(8))
          yield* append(attempt, subagentStarted(9))
          for (const n of range(4, 200)) yield* append(attempt, title(`title number ${n}`))
          const before = segments(directory).length
          attempt.acknowledge(190)
          assert.isBelow(segments(directory).length, before)
          assert.deepStrictEqual(numbers(yield* readAll(attempt, 190)), range(191, 200))
        })
      )
      const journal = yield* openJournal(directory, small)
      const attempt = journal.found[0]!
      assert.strictEqual(attempt.acknowledged, 190)
      assert.strictEqual(yield* Effect.promise(() => attempt.close("unknown", failed)), null)
      const frames = yield* readAll(attempt, 200)
      assert.deepStrictEqual(
        frames.map(({ body }) => body._tag),
        ["ModelRequestEnded", "SubagentEnded", "ToolFinished", "Failed"]
      )
      for (const { body } of frames.slice(1, 3)) assert.propertyVal(body, "outcome", "unknown")
    }).pipe(Effect.scoped)
  )

  it.effect("keeps outcomes that were journaled, and ends no call twice", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, {}, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          for (const body of [toolStarted(1), toolStarted(2), toolFinished(1)]) yield* append(attempt, body)
        })
      )
      const attempt = (yield* openJournal(directory)).found[0]!
      yield* Effect.promise(() => attempt.close("unknown", failed))
      yield* Effect.promise(() => attempt.close("unknown", failed))
      const ended = yield* readAll(attempt, 3)
      assert.deepStrictEqual(
        ended.map(({ body }) => body._tag),
        ["ToolFinished", "Failed"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("cuts off a write that was torn, at every byte of it", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, {}, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          for (const n of range(1, 5)) yield* append(attempt, title(`t${n}`))
        })
      )
      const file = join(folder(directory), segments(directory)[0]!)
      const whole = readFileSync(file)
      // The last record begins where the file ended before it.
      const lastRecord = whole.lastIndexOf(Buffer.from('{"n":5')) - 8
      for (let length = lastRecord; length < whole.length; length++) {
        writeFileSync(file, whole.subarray(0, length))
        yield* life(directory, {}, (journal) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(journal.findings, [])
            const attempt = journal.found[0]!
            assert.deepStrictEqual(numbers(yield* readAll(attempt, 0)), range(1, 4))
            assert.strictEqual(yield* append(attempt, title("again")), 5)
          })
        )
      }
      writeFileSync(file, Buffer.concat([whole, Buffer.alloc(300)]))
      const attempt = (yield* openJournal(directory)).found[0]!
      assert.strictEqual(attempt.last, 5)
    }).pipe(Effect.scoped)
  )

  it.effect("moves aside what is damaged or not its own, and goes on with the rest", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, {}, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          for (const n of range(1, 9)) yield* append(attempt, title(`t${n}`))
          const other = yield* journal.create(withoutSecrets(runRequest(2)))
          yield* append(other, title("sound"))
        })
      )
      const file = join(folder(directory), segments(directory)[0]!)
      const bytes = readFileSync(file)
      bytes[bytes.indexOf(Buffer.from("t4"))]! ^= 1
      writeFileSync(file, bytes)
      mkdirSync(join(directory, "attempts", "lost+found"))
      writeFileSync(join(directory, "attempts", "note.txt"), "hello")
      const journal = yield* openJournal(directory)
      assert.deepStrictEqual(journal.findings.map(({ what }) => what).sort(), ["damaged", "foreign", "foreign"])
      assert.deepStrictEqual(
        journal.found.map(({ request }) => request.attemptId),
        [attemptId(2)]
      )
      assert.include(journal.forgotten(attemptId(1)) ?? "", "damaged")
      assert.strictEqual(readdirSync(join(directory, "aside")).length, 3)
    }).pipe(Effect.scoped)
  )

  it.effect("survives anything in its files", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, small, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          for (const n of range(1, 60)) yield* append(attempt, title(`t${n}`))
        })
      )
      for (const name of ["request.json", "acknowledged", ...segments(directory)]) {
        const file = join(folder(directory), name)
        const sound = readFileSync(file)
        for (const bytes of [Buffer.alloc(0), Buffer.alloc(4_096), Buffer.from("{]"), Buffer.alloc(100, 0xff)]) {
          const copy = yield* scratch
          spawnSync("cp", ["-a", `${directory}/.`, copy])
          writeFileSync(join(folder(copy), name), bytes)
          yield* life(copy, small, (journal) => Effect.sync(() => assert.isAtMost(journal.found.length, 1)))
        }
        writeFileSync(file, sound)
      }
      for (const name of ["ledger", "journal-id", "reserve"]) {
        writeFileSync(join(directory, name), Buffer.alloc(500, 0x7b))
        yield* life(directory, small, () => Effect.void)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("gets another name only when it is made anew", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const first = yield* life(directory, {}, ({ journalId }) => Effect.succeed(journalId))
      assert.strictEqual(yield* life(directory, {}, ({ journalId }) => Effect.succeed(journalId)), first)
      truncateSync(join(directory, "journal-id"))
      assert.notStrictEqual(yield* life(directory, {}, ({ journalId }) => Effect.succeed(journalId)), first)
    }).pipe(Effect.scoped)
  )

  it.effect("remembers epochs and forgotten attempts, torn writes or not", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* life(directory, {}, (journal) =>
        Effect.gen(function* () {
          yield* journal.raiseEpoch(sessionId(1), 4)
          yield* journal.raiseEpoch(sessionId(2), 9)
          const attempt = yield* journal.create(request)
          yield* journal.forget(attempt, "it was revoked")
        })
      )
      appendFileSync(join(directory, "ledger"), "torn")
      const journal = yield* openJournal(directory)
      assert.strictEqual(journal.epoch(sessionId(1)), 4)
      assert.strictEqual(journal.epoch(sessionId(2)), 9)
      assert.strictEqual(journal.forgotten(attemptId(1)), "it was revoked")
      assert.deepStrictEqual(journal.found, [])
    }).pipe(Effect.scoped)
  )

  it.effect("says when its quota is used up, and the attempt can still say how it ended", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const sizes = { attemptBytes: 65_536, closingBytes: 8_192, segmentBytes: 16_384 }
      const attempt = yield* Effect.flatMap(openJournal(directory, sizes), (journal) => journal.create(request))
      yield* append(attempt, toolStarted(1))
      const filling = Effect.forever(append(attempt, title("x".repeat(1_000))))
      assert.include(yield* Effect.flip(filling), "quota of 65536")
      const { last } = attempt
      assert.strictEqual(yield* Effect.promise(() => attempt.close("unknown", failed)), null)
      assert.deepStrictEqual(
        (yield* readAll(attempt, last)).map(({ body }) => body._tag),
        ["ToolFinished", "Failed"]
      )
      assert.deepStrictEqual(numbers(yield* readAll(attempt, 0)), range(1, last + 2))
    }).pipe(Effect.scoped)
  )

  it.effect("shares its quota among attempts, and gives it back", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const sizes = { totalBytes: 65_536, closingBytes: 4_096, segmentBytes: 8_192 }
      const journal = yield* openJournal(directory, sizes)
      const one = yield* journal.create(request)
      const two = yield* journal.create(withoutSecrets(runRequest(2)))
      yield* Effect.ignore(Effect.forever(append(one, title("x".repeat(1_000)))))
      assert.include(yield* Effect.flip(append(two, title("x".repeat(1_000)))), "the journal's quota")
      yield* journal.forget(one, "done")
      const three = yield* journal.create(withoutSecrets(runRequest(3)))
      assert.strictEqual(yield* append(three, title("x".repeat(1_000))), 1)
    }).pipe(Effect.scoped)
  )

  it.effect("refuses a frame that would be too large to send", () =>
    Effect.gen(function* () {
      const journal = yield* openJournal(yield* scratch, { frameBytes: 10_000 })
      const attempt = yield* journal.create(request)
      assert.include(yield* Effect.flip(append(attempt, title("x".repeat(10_001)))), "larger than 10000")
      assert.strictEqual(yield* Effect.promise(() => attempt.close("unknown", completed)), null)
    }).pipe(Effect.scoped)
  )
})

requires("root")("A journal on a full disk", () => {
  const tiny = Effect.gen(function* () {
    const directory = yield* scratch
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", directory])
        assert.strictEqual(status, 0, String(stderr))
      }),
      () => Effect.sync(() => spawnSync("umount", ["-l", directory]))
    )
    return directory
  })

  it.effect("says so, keeps what it promised, and still takes the last frames", () =>
    Effect.gen(function* () {
      const directory = yield* tiny
      const acknowledged = yield* life(directory, {}, (journal) =>
        Effect.gen(function* () {
          const attempt = yield* journal.create(request)
          yield* append(attempt, toolStarted(1))
          const detail = yield* Effect.flip(Effect.forever(append(attempt, title("x".repeat(5_000)))))
          assert.include(detail, "ENOSPC")
          const { last } = attempt
          assert.strictEqual(yield* Effect.promise(() => attempt.close("unknown", failed)), null)
          return last
        })
      )
      const journal = yield* openJournal(directory)
      assert.deepStrictEqual(journal.findings, [])
      const attempt = journal.found[0]!
      const frames = yield* readAll(attempt, 0)
      assert.deepStrictEqual(numbers(frames), range(1, acknowledged + 2))
      assert.strictEqual(frames.at(-1)!.body._tag, "Failed")
      // And there is room again once it is collected.
      yield* journal.forget(attempt, "collected")
      const next = yield* journal.create(withoutSecrets(runRequest(2)))
      assert.strictEqual(yield* append(next, title("again")), 1)
    }).pipe(Effect.scoped)
  )
})
