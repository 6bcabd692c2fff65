import { unconfined } from "@troupe/domain/tools/Confinement"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { HostDirectories } from "../../src/workingcopy/HostDirectories.ts"
import { type Facts, Places } from "../../src/workplace/Places.ts"
import { runnerId } from "../support/requests.ts"
import { newFacts, runnerAt, said, storedBlobs, ticket } from "./world.ts"

requires("bubblewrap", "root")("the places of sessions", () => {
  describe("a place", () => {
    it.live("is made at first need, and told of once", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const places = yield* Places
          const place = yield* places.open(newFacts())
          let made = 0
          const count = () => Effect.sync(() => void made++)
          assert.isFalse(place.record().made)
          yield* Effect.all([place.sandbox(count), place.sandbox(count)], { concurrency: 2 })
          yield* place.sandbox(count)
          assert.strictEqual(made, 1)
          assert.isTrue(place.record().made)
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )

    it.live("is found again, with its files, when the runner has come back", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const blobs = storedBlobs(ticket)
        const facts = newFacts()
        const first = yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          yield* said(place, "echo kept > notes; echo temporary > /tmp/t")
          return place.record().sandboxId
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ find }) => find(facts.sessionId, ticket))
          assert.strictEqual(place.record().sandboxId, first)
          assert.strictEqual(yield* said(place, "cat notes /tmp/t"), "kept\ntemporary\n")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped)
    )

    it.live("keeps the repository as it is where its policies say so, whatever a program tries", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const secret = join(directory, "of-the-host")
        mkdirSync(secret)
        writeFileSync(join(secret, "secret"), "of the host")
        yield* Effect.gen(function* () {
          const { open } = yield* Places
          const facts = newFacts()
          const confinement = { ...unconfined, noGitWrites: true }
          yield* Effect.scoped(
            Effect.flatMap(open(facts), (place) => said(place, "mkdir .git; echo main > .git/HEAD; echo text > file"))
          )
          const before = yield* Effect.scoped(
            Effect.flatMap(open({ ...facts, confinement }), (place) =>
              said(place, "echo x > .git/HEAD; rm -rf .git; mv .git g; cat .git/HEAD; echo more >> file && cat file")
            )
          )
          assert.match(before, /main\ntext\nmore\n/)
          assert.match(before, /Read-only file system/)
          const linked = yield* Effect.scoped(
            Effect.gen(function* () {
              yield* Effect.scoped(
                Effect.flatMap(open({ ...facts, confinement: unconfined }), (place) =>
                  said(place, `rm -rf .git; ln -s ${secret} .git`)
                )
              )
              const place = yield* open({ ...facts, confinement })
              return yield* said(place, "cat .git/secret; echo still works")
            })
          )
          assert.notInclude(linked, "of the host\n")
          assert.include(linked, "still works")
        }).pipe(Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )

    it.live("gets its working copy from a checkpoint of another runner", () =>
      Effect.gen(function* () {
        const blobs = storedBlobs(ticket)
        const facts = newFacts()
        const here = yield* temporaryState("troupe-places-")
        const there = yield* temporaryState("troupe-places-")
        const checkpoint = yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          yield* said(place, "mkdir -p a/b && echo deep > a/b/c && ln -s b a/link && chmod +x a/b/c")
          return (yield* place.capture).checkpoint
        }).pipe(Effect.scoped, Effect.provide(runnerAt(here, blobs)))
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          yield* place.restore(checkpoint)
          assert.strictEqual(yield* said(place, "cat a/link/c; test -x a/b/c && echo runs"), "deep\nruns\n")
          assert.strictEqual((yield* place.capture).checkpoint, checkpoint)
          yield* said(place, "echo changed > a/b/c; rm a/link")
          const { changes } = yield* place.diff(checkpoint, null)
          assert.deepStrictEqual(
            changes.map(({ change, path }) => [path, change]),
            [
              ["a/b/c", "changed"],
              ["a/link", "removed"]
            ]
          )
        }).pipe(Effect.scoped, Effect.provide(runnerAt(there, blobs)))
      }).pipe(Effect.scoped)
    )

    it.live("says what changed since a checkpoint, and since it was empty, as it was captured last", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(newFacts()))
          assert.isTrue(place.isEmpty())
          yield* said(place, "mkdir src; seq 3 > src/three; seq 2 > two; head -c 300000 /dev/urandom > noise")
          assert.isFalse(place.isEmpty())
          const { checkpoint } = yield* place.capture
          const begun = yield* place.changes(null)
          assert.deepInclude(begun, { files: 3, added: 5, deleted: 0, isComplete: true })
          assert.deepInclude(begun.paths, { path: "noise", change: "added", added: null, deleted: null })
          yield* said(place, "seq 3 | sed s/2/zwei/ > src/three; rm two; mkdir empty; chmod +x noise")
          yield* place.capture
          yield* said(place, "echo later > later")
          assert.deepStrictEqual(yield* place.changes(checkpoint), {
            files: 3,
            added: 1,
            deleted: 3,
            paths: [
              { path: "noise", change: "changed", added: null, deleted: null },
              { path: "src/three", change: "changed", added: 1, deleted: 1 },
              { path: "two", change: "removed", added: 0, deleted: 2 }
            ],
            isComplete: true
          })
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )

    it.live("has what its environment says, and nothing else of the host", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const places = yield* Places
          const environment = {
            variables: { GREETING: "hello" },
            hostVariables: ["HOST_NAME", "PATH_OF_NOBODY"],
            network: { type: "none" }
          }
          const place = yield* places.open(newFacts(environment))
          const variables = yield* said(place, "env | sort")
          assert.include(variables, "GREETING=hello")
          assert.include(variables, "HOST_NAME=of the host")
          assert.include(variables, "HOME=/workspace")
          assert.notInclude(variables, "PATH_OF_NOBODY")
          assert.notInclude(variables, "HTTP_PROXY")
          const open = yield* places.open(newFacts())
          assert.include(yield* said(open, "env"), "HTTP_PROXY=http://127.0.0.1:3128")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )

    it.live("is not made of an environment that can't be meant", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const places = yield* Places
          for (const [environment, code] of [
            [{ backend: "magic" }, "backend_unknown"],
            [{ size: "enormous" }, "environment_invalid"],
            [{ colour: "blue" }, "environment_invalid"]
          ] as const) {
            const result = yield* Effect.result(Effect.scoped(places.open(newFacts(environment))))
            assert.strictEqual(Result.isFailure(result) && result.failure.code, code)
          }
          assert.strictEqual(places.sessions().length, 0)
        }).pipe(Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )

    it.live("leaves nothing behind when it is destroyed, and whoever looks for it is told so", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const places = yield* Places
          const homes = yield* SandboxHome
          const facts = newFacts()
          const place = yield* Effect.scoped(places.open(facts))
          yield* said(place, "echo x > file; chmod 000 .")
          yield* places.destroy(facts.sessionId)
          assert.deepStrictEqual(yield* homes.list, [])
          assert.strictEqual(places.sessions().length, 0)
          const gone = yield* Effect.result(Effect.scoped(places.find(facts.sessionId, ticket)))
          assert.strictEqual(Result.isFailure(gone) && gone.failure.code, "no_place")
          yield* places.destroy(facts.sessionId)
        }).pipe(Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )

    it.live("is swept away when its session is forgotten", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const blobs = storedBlobs(ticket)
        const home = yield* Effect.gen(function* () {
          const { home } = yield* Effect.flatMap(SandboxHome, ({ open }) => open(newFacts().sessionId as never))
          return home
        }).pipe(Effect.provide(runnerAt(directory, blobs)))
        assert.isTrue(existsSync(home))
        yield* Effect.gen(function* () {
          const homes = yield* SandboxHome
          while ((yield* homes.list).length > 0) yield* Effect.sleep(20)
        }).pipe(Effect.timeout(30_000), Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped)
    )

    it.live("works on a directory of the host, in place or on a copy, where the runner's owner allowed it", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const allowed = yield* temporaryState("troupe-allowed-")
        const project = join(allowed, "project")
        mkdirSync(project)
        writeFileSync(join(project, "readme"), "of the host\n")
        chmodSync(project, 0o777)
        const using = (use: "inPlace" | "copy", path = project): Facts => {
          const resource = { resourceId: "sesrsc" as never, type: "host_directory", spec: { runnerId, path, use } }
          return { ...newFacts(), resources: [resource] }
        }
        yield* Effect.gen(function* () {
          const { open } = yield* Places
          const { register } = yield* HostDirectories
          const unasked = yield* Effect.result(Effect.scoped(open(using("copy"))))
          assert.strictEqual(Result.isFailure(unasked) && unasked.failure.code, "directory_refused")
          yield* register(project, "copy")
          const copy = yield* open(using("copy"))
          assert.strictEqual(yield* said(copy, "cat readme; echo mine > readme"), "of the host\n")
          assert.strictEqual(readFileSync(join(project, "readme"), "utf8"), "of the host\n")
          const notChosen = yield* Effect.result(Effect.scoped(open(using("inPlace"))))
          assert.strictEqual(Result.isFailure(notChosen) && notChosen.failure.code, "directory_refused")
          yield* register(project, "inPlace")
          const inPlace = yield* open(using("inPlace"))
          assert.strictEqual(yield* said(inPlace, "cat readme; echo new > made"), "of the host\n")
          assert.strictEqual(readFileSync(join(project, "made"), "utf8"), "new\n")
          const outside = yield* Effect.result(Effect.scoped(open(using("copy", "/etc"))))
          assert.strictEqual(Result.isFailure(outside) && outside.failure.code, "directory_refused")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket), { roots: [allowed] })))
      }).pipe(Effect.scoped)
    )

    it.live("does not open the door of another session", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open({ ...newFacts(), ticket: "forged" }))
          const kept = yield* Effect.result(place.tools.putBlob(new TextEncoder().encode("x"), "text/plain"))
          assert.isTrue(Result.isFailure(kept))
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, storedBlobs(ticket))))
      }).pipe(Effect.scoped)
    )
  })
})
