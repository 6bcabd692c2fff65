import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { Places } from "../../src/workplace/Places.ts"
import { newFacts, runnerAt, said, storedBlobs, ticket } from "./world.ts"

const timeout = 120_000
const nothing = () => Effect.void

/** Somebody who wants to work there, and what they hear. */
const worker = (secrets: Readonly<Record<string, string>> = {}) => {
  const lines: Array<string> = []
  return {
    lines,
    onLine: (line: string) => Effect.sync(() => void lines.push(line)),
    secret: (name: string) => Effect.succeed(secrets[name] ?? null)
  }
}

const setup = [
  "echo preparing",
  "mkdir -p /opt/environment/bin",
  "printf '#!/bin/sh\\necho $WORD $LANG\\n' > /opt/environment/bin/word",
  "chmod 755 /opt/environment/bin/word"
].join("\n")
const prepared = { setup, network: { type: "none" }, variables: { WORD: "moin", LANG: "C" } }

requires("bubblewrap", "root")("a place of an environment that takes preparation", () => {
  it.live(
    "has what was prepared, under what the environment itself says; the next one need not wait",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const places = yield* Places
          const [first, second] = [worker(), worker()]
          const place = yield* places.open(newFacts(prepared))
          assert.isFalse(place.record().made)
          yield* place.ready(first)
          assert.isFalse(place.record().made, "nothing needed a sandbox yet")
          assert.include(first.lines, "preparing")
          assert.strictEqual(
            yield* said(place, "word; ls /opt; touch /opt/environment/x 2>&1 | wc -l"),
            "moin C\nenvironment\n1\n"
          )
          const other = yield* places.open(newFacts(prepared))
          yield* other.ready(second)
          assert.deepStrictEqual(second.lines, [])
          assert.strictEqual(yield* said(other, "word"), "moin C\n")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped),
    timeout
  )

  it.live(
    "is found again with it when the runner has come back, and taken away without preparing it again",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const blobs = storedBlobs(ticket)
        const facts = newFacts(prepared)
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          assert.strictEqual(yield* said(place, "word"), "moin C\n")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ find }) => find(facts.sessionId, ticket))
          assert.strictEqual(yield* said(place, "word"), "moin C\n")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))

        rmSync(join(directory, "environments"), { recursive: true })
        yield* Effect.gen(function* () {
          const places = yield* Places
          yield* places.destroy(facts.sessionId)
          assert.strictEqual(places.sessions().length, 0)
        }).pipe(Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped),
    timeout
  )

  it.live(
    "says why it can't be had: to who waits, and to whoever needs a sandbox",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const { open } = yield* Places
          const place = yield* open(newFacts({ ...prepared, setup: "echo no luck; exit 3" }))
          const failure = yield* Effect.flip(place.ready(worker()))
          assert(failure._tag === "PreparationFailed" && failure.reason._tag === "Failed")
          assert.deepStrictEqual([failure.step, failure.reason.ending], ["setup", "exit code 3"])
          const unusable = yield* Effect.flip(place.sandbox(nothing))
          assert.deepInclude(unusable.reason, { _tag: "Unusable", detail: failure.message })
          assert.isFalse(place.record().made)

          const image = yield* open(newFacts({ backend: "bubblewrap", image: "debian:12" }))
          assert.match((yield* Effect.flip(image.ready(worker()))).message, /bubblewrap runs no images/)
          const stranger = yield* open(newFacts({ preparation: { profile: "mars", options: {} } }))
          assert.match((yield* Effect.flip(stranger.ready(worker()))).message, /this runner has none, github, azure/)
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped),
    timeout
  )
})

requires("bubblewrap", "root")("a profile", () => {
  const environment = { preparation: { profile: "own", options: { word: "hi" } } }
  const script = 'echo "$OPTION_WORD" >> /workspace/hooked; [ ! -e /workspace/closed ]'

  const profiles = Effect.fnUntraced(function* () {
    const directory = yield* temporaryState("troupe-profiles-")
    writeFileSync(join(directory, "own.sh"), script)
    // Says what it was given, once when the sandbox is fresh and again for each runner.
    writeFileSync(
      join(directory, "watch.mjs"),
      `import { Effect } from ${JSON.stringify(import.meta.resolve("effect"))}
      const hook = (when) => ({ name: when, when, run: ({ sandbox, secret }) => Effect.scoped(Effect.gen(function* () {
        const given = yield* secret("TOKEN").pipe(Effect.as("known"), Effect.orElseSucceed(() => "unknown"))
        const process = yield* sandbox.exec({ command: ["sh", "-c", 'echo "$0" >> /workspace/seen', when + " " + given] })
        yield* process.ending
      })) })
      export const profile = { name: "watch", prepare: () =>
        Effect.succeed({ variables: { FROM_PROFILE: "yes" }, files: {}, hooks: [hook("made"), hook("opened")] }) }`
    )
    return { directory }
  })

  it.live(
    "is made ready once in a fresh sandbox, and what is for each runner again with the next",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const own = yield* profiles()
        const blobs = storedBlobs(ticket)
        const facts = newFacts({ preparation: { profile: "watch", options: {} } })
        const runner = () => runnerAt(directory, blobs, { profiles: own })
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          assert.strictEqual(yield* said(place, "echo $FROM_PROFILE; cat seen 2>/dev/null"), "yes\n")
          yield* place.ready(worker({ TOKEN: "t" }))
          yield* place.ready(worker())
          assert.strictEqual(yield* said(place, "cat seen"), "made known\nopened known\n")
        }).pipe(Effect.scoped, Effect.provide(runner()))
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          yield* place.ready(worker())
          assert.strictEqual(yield* said(place, "cat seen"), "made known\nopened known\nopened unknown\n")
          yield* place.unmake
          yield* place.ready(worker())
          assert.strictEqual(yield* said(place, "tail -n +4 seen"), "made unknown\nopened unknown\n")
        }).pipe(Effect.scoped, Effect.provide(runner()))
      }).pipe(Effect.scoped),
    timeout
  )

  it.live(
    "that fails keeps work from beginning, and is tried again",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const own = yield* profiles()
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(newFacts(environment)))
          yield* said(place, "touch closed")
          const failure = yield* Effect.flip(place.ready(worker()))
          assert.strictEqual(failure._tag, "HookFailed")
          assert.match(failure.message, /own.*exit code 1/)
          yield* said(place, "rm closed")
          yield* place.ready(worker())
          yield* place.ready(worker())
          assert.strictEqual(yield* said(place, "cat hooked"), "hi\nhi\n")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket), { profiles: own })))
      }).pipe(Effect.scoped),
    timeout
  )
})

describe("a place of a plain environment", () => {
  it.live("waits for nothing", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryState("troupe-places-")
      yield* Effect.gen(function* () {
        const place = yield* Effect.flatMap(Places, ({ open }) => open(newFacts({ backend: "none" })))
        const heard = worker()
        yield* place.ready(heard)
        assert.deepStrictEqual([heard.lines, place.record().made], [[], false])
      }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
    }).pipe(Effect.scoped)
  )
})
