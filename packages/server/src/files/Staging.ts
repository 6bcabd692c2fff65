import { ApiFailure } from "@troupe/domain/api/ApiError"
import { Effect, type Scope, Stream } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { mkdir, mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { away, type Staged, unavailable } from "./Contents.ts"

/** Files under way that a node left which was killed are known by their name. */
export const stagedName = /^staged-[0-9a-f-]{36}$/

/** A place for what is on its way to somewhere else than this disk. */
export const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-files-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)

export const tooLarge = (bytesMax: number) =>
  new ApiFailure({
    type: "request_too_large",
    message: `A file has at most ${bytesMax} bytes`
  })

/** Content that comes in piece by piece. */
export interface Staging {
  readonly write: (piece: Uint8Array) => Effect.Effect<void, ApiFailure>
  /** All of it has come. */
  readonly end: Effect.Effect<Staged, ApiFailure>
}

const attempt = <A>(work: () => Promise<A>) =>
  Effect.catch(Effect.tryPromise({ try: work, catch: unavailable("stage") }), away)

/** Opens a file of ours for what comes, which is gone with the scope unless somebody took it. */
export const begin = Effect.fn("Staging.begin")(function* (
  directory: string,
  bytesMax: number
): Effect.fn.Return<Staging, ApiFailure, Scope.Scope> {
  const path = join(directory, `staged-${randomUUID()}`)
  yield* attempt(() => mkdir(directory, { recursive: true, mode: 0o700 }))
  yield* Effect.addFinalizer(() => Effect.promise(() => rm(path, { force: true })))
  const file = yield* Effect.acquireRelease(
    attempt(() => open(path, "wx", 0o600)),
    (opened) => Effect.ignore(attempt(() => opened.close()))
  )
  const digest = createHash("sha256")
  let bytes = 0
  return {
    write: (piece) => {
      bytes += piece.length
      if (bytes > bytesMax) return Effect.fail(tooLarge(bytesMax))
      digest.update(piece)
      return attempt(() => file.writeFile(piece))
    },
    end: Effect.map(
      attempt(() => file.datasync()),
      () => ({ path, sha256: digest.copy().digest("hex"), bytes })
    )
  }
})

/** Takes a stream in. */
export const stage = Effect.fn("Staging.stage")(function* <E>(
  directory: string,
  bytesMax: number,
  content: Stream.Stream<Uint8Array, E>
): Effect.fn.Return<Staged, E | ApiFailure, Scope.Scope> {
  const staging = yield* begin(directory, bytesMax)
  yield* Stream.runForEach(content, staging.write)
  return yield* staging.end
})
