import { assert, it } from "@effect/vitest"
import { fromUuid } from "@troupe/domain/Ids"
import type { Resource } from "@troupe/domain/session/Opening"
import { unconfined } from "@troupe/domain/tools/Confinement"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { sha256 } from "../../src/link/BlobClient.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { Places } from "../../src/workplace/Places.ts"
import { type StoredBlobs, newFacts, runnerAt, said, storedBlobs, ticket } from "./world.ts"

/** What a session is given to begin with, put where runners get it. */
const given = (blobs: StoredBlobs, bytes: Uint8Array): Resource => {
  const digest = sha256(bytes)
  blobs.blobs.set(digest, bytes)
  const mount_path = "/mnt/session/uploads/files.tar.gz"
  const spec = {
    file_id: fromUuid("file", randomUUID()),
    mount_path,
    sha256: digest,
    size_bytes: bytes.length,
    added_at: 0,
    unpack: true
  }
  return { resourceId: "sesrsc_1" as never, type: "file", spec }
}

const archiveOf = (directory: string): Uint8Array => {
  const source = join(directory, "source")
  mkdirSync(join(source, "below"), { recursive: true })
  writeFileSync(join(source, "readme"), "of somebody\n")
  writeFileSync(join(source, "below", "tool"), "#!/bin/sh\necho works\n", { mode: 0o755 })
  const file = join(directory, "files.tar.gz")
  execFileSync("tar", ["-czf", file, "-C", source, "."])
  return readFileSync(file)
}

requires("bubblewrap", "root")("a working copy", () => {
  it.live(
    "begins with what its session was given, once, and is compared with that",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-unpack-")
        const blobs = storedBlobs(ticket)
        const facts = { ...newFacts(), resources: [given(blobs, archiveOf(directory))] }
        const state = join(directory, "state")
        mkdirSync(state, { mode: 0o711 })
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          yield* place.give(facts.resources)
          assert.isTrue(yield* place.unpack(facts.resources))
          assert.strictEqual(yield* said(place, "cat readme; below/tool"), "of somebody\nworks\n")
          const { checkpoint } = yield* place.capture
          yield* said(place, "echo by the agent >> readme; rm below/tool")
          const { changes } = yield* place.diff(checkpoint, null)
          const found = changes.map(({ change, path }) => `${change} ${path}`)
          assert.includeMembers(found, ["changed readme", "removed below/tool"])
          assert.isFalse(yield* place.unpack(facts.resources))
          assert.include(yield* said(place, "cat readme"), "by the agent")
        }).pipe(Effect.scoped, Effect.provide(runnerAt(state, blobs)))
        // The next process of the runner knows that it has begun.
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          assert.isFalse(yield* place.unpack(facts.resources))
        }).pipe(Effect.scoped, Effect.provide(runnerAt(state, blobs)))
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "begins with it under policies that let nothing be written, too",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-unpack-")
        const blobs = storedBlobs(ticket)
        const facts = {
          ...newFacts(),
          resources: [given(blobs, archiveOf(directory))],
          confinement: { ...unconfined, readOnly: true }
        }
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          yield* place.give(facts.resources)
          assert.isTrue(yield* place.unpack(facts.resources))
          assert.strictEqual(
            yield* said(place, "cat readme; (echo more >> readme) 2> /dev/null || echo refused"),
            "of somebody\nrefused\n"
          )
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "does not begin with what is no archive, or can't be had",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryState("troupe-unpack-")
        const blobs = storedBlobs(ticket)
        const facts = { ...newFacts(), resources: [given(blobs, Buffer.from("no archive"))] }
        yield* Effect.gen(function* () {
          const place = yield* Effect.flatMap(Places, ({ open }) => open(facts))
          const absent = yield* Effect.flip(place.unpack(facts.resources))
          assert.include(absent.message, "(files.tar.gz) can't be had")
          yield* place.give(facts.resources)
          const broken = yield* Effect.flip(place.unpack(facts.resources))
          assert.match(broken.message, /\(files, exit code \d+\)\n.*gzip/s)
        }).pipe(Effect.scoped, Effect.provide(runnerAt(directory, blobs)))
      }).pipe(Effect.scoped),
    120_000
  )
})
