import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { Places } from "../../src/workplace/Places.ts"
import { newFacts, runnerAt, said, storedBlobs, ticket } from "./world.ts"

/** A disk of its own, so small that it can be filled. */
const smallDisk = Effect.gen(function* () {
  const directory = yield* temporaryState("troupe-small-")
  const options = ["-t", "tmpfs", "-o", "size=8m,mode=0711", "tmpfs", directory]
  yield* Effect.acquireRelease(
    Effect.sync(() => assert.strictEqual(spawnSync("mount", options).status, 0)),
    () => Effect.sync(() => spawnSync("umount", ["-l", directory]))
  )
  return directory
})

const fill = (path: string) => {
  try {
    writeFileSync(path, Buffer.alloc(16 * 1_048_576))
  } catch (cause) {
    assert.strictEqual((cause as NodeJS.ErrnoException).code, "ENOSPC")
  }
}

const strange = `cd /mnt/session/outputs
mkfifo pipe; ln -s /etc/passwd link; ln -s . circle; mknod device c 1 3 2>/dev/null
truncate -s 10G sparse
printf one > "$(printf 'two\\nlines')"
printf two > "$(printf 'no\\377text')"
printf three > "$(printf '\\033[31mred')"
mkdir many; cd many; i=0; while [ $i -lt 1200 ]; do : > $i; i=$((i + 1)); done
cd ..; printf last > zlast; mkdir closed; printf four > closed/file; chmod 0 closed`

requires("bubblewrap", "root")("a place in bad company", () => {
  it.live(
    "says that its disk is full to whoever wants something of it, and goes on once there is room",
    () =>
      Effect.gen(function* () {
        const directory = yield* smallDisk
        const blobs = storedBlobs(ticket)
        yield* Effect.gen(function* () {
          const places = yield* Places
          const place = yield* places.open(newFacts())
          assert.strictEqual(yield* said(place, "echo kept > notes; cat notes"), "kept\n")
          yield* place.rest({ ended: "working", kept: false, at: 1 })
          fill(join(directory, "fill"))
          const full = /ENOSPC|NoSpace|no space/i
          assert.match((yield* Effect.flip(Effect.scoped(places.open(newFacts())))).message, full)
          // What is noted down in place takes no room.
          yield* place.rest({ ended: "done", at: 2 })
          assert.match((yield* Effect.flip(place.capture)).message, full)
          assert.strictEqual(yield* said(place, "cat notes"), "kept\n")
          rmSync(join(directory, "fill"))
          yield* place.rest({ ended: "done", kept: true, at: 3 })
          yield* place.capture
          yield* Effect.scoped(places.open(newFacts()))
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "makes files of what can be files, and names what can't, whatever an agent leaves among its outputs",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-places-")
        const blobs = storedBlobs(ticket)
        yield* Effect.gen(function* () {
          const places = yield* Places
          const place = yield* places.open(newFacts())
          yield* said(place, strange)
          const { files, keep, leftOut } = yield* place.collect
          yield* keep
          const left = leftOut.map(({ detail, path }) => `${path}: ${detail}`).join("\n")
          assert.match(left, /^\.: there is more than 1000 files/m)
          assert.isAtMost(files.length, 1_000)
          assert.notInclude(JSON.stringify(blobs.made), "root:")
          assert.deepStrictEqual(
            files.filter(({ path }) => ["pipe", "link", "circle", "device", "sparse"].includes(path)),
            []
          )
          yield* said(place, "cd /mnt/session/outputs; chmod 700 closed; rm -rf many")
          const again = yield* place.collect
          const made = [...files, ...again.files].map(({ path }) => path)
          assert.includeMembers(made, ["closed/file", "zlast", "two\nlines", "no\\xfftext", "\u001b[31mred"])
          assert.include(
            again.leftOut.map(({ path }) => path),
            "sparse"
          )
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped),
    120_000
  )
})
