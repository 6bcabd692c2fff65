import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Stream } from "effect"
import type { Readable, Writable } from "node:stream"
import type { OutputChunk, SandboxError } from "./Sandbox.ts"
import { failure } from "./SandboxFailure.ts"

/** Between two looks at what is dying; after so many, nobody waits for it any longer. */
const pauseMs = 5
const looksMax = 4_000

export const until = Effect.fnUntraced(function* (done: () => boolean) {
  for (let looks = 0; looks < looksMax && !done(); looks++) yield* Effect.sleep(pauseMs)
})

export const writeAll = (backend: string, stream: Writable, bytes: Uint8Array): Effect.Effect<void, SandboxError> =>
  Effect.callback((resume) => {
    stream.write(bytes, (cause) =>
      resume(
        cause == null
          ? Effect.void
          : Effect.fail(failure(backend)({ _tag: "Gone", detail: "the process reads no more" }, cause))
      )
    )
  })

/** What is torn off by the end of the scope is an end like another. */
export const chunks = (stream: Readable, name: OutputChunk["stream"]): Stream.Stream<OutputChunk> =>
  NodeStream.fromReadable<Uint8Array, "closed">({ evaluate: () => stream, onError: () => "closed", chunkSize: 1 }).pipe(
    Stream.catch(() => Stream.empty),
    Stream.map((bytes) => ({ stream: name, bytes }))
  )
