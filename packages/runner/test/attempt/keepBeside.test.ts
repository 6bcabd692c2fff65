import { assert, describe, it } from "@effect/vitest"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { Effect } from "effect"
import { keepBeside } from "../../src/attempt/keepBeside.ts"
import { BlobClient, sha256 } from "../../src/link/BlobClient.ts"
import { BlobError } from "../../src/link/BlobError.ts"
import { Scrubber } from "../../src/secrets/Scrubber.ts"
import * as FakeRun from "../harness/FakeRun.ts"

const away = new BlobError({ sha256: null, reason: "away", detail: "no node answers" })

/** What is kept, and what people are told, while nodes take it or do not. */
const kept = (node: { isAway: boolean }) => {
  const stored: Array<string> = []
  const { frames, run } = FakeRun.make({ model: "m", history: [] })
  const scrubber = new Scrubber()
  scrubber.add("swordfish")
  const blobs = BlobClient.of({
    exists: () => Effect.succeed(false),
    missing: () => Effect.succeed([]),
    get: () => Effect.fail(away),
    put: (_ticket, bytes) =>
      Effect.suspend(() => {
        if (node.isAway) return Effect.fail(away)
        stored.push(Buffer.from(bytes).toString())
        return Effect.succeed(sha256(bytes))
      })
  })
  const keep = keepBeside({ blobs, ticket: "t", scrubber, frames: run.frames })
  const told = () =>
    frames.flatMap((body: FrameBody) =>
      body._tag === "Noted" && body.event._tag === "PlatformNoted" ? [body.event.message] : []
    )
  return { keep, stored, told }
}

describe("What is kept beside the log", () => {
  it.effect("is there by its hash, without the secrets of its attempt and without a preview", () =>
    Effect.gen(function* () {
      const { keep, stored, told } = kept({ isAway: false })
      const ref = yield* keep({ said: "swordfish" })
      assert.deepStrictEqual(stored, ['{"said":"[secret]"}'])
      assert.deepStrictEqual(ref, {
        sha256: sha256(Buffer.from(stored[0]!)),
        bytes: 19,
        mediaType: "application/json",
        preview: ""
      })
      assert.deepStrictEqual(told(), [])
    })
  )

  it.effect("is missed aloud, once, where it is too large or no node takes it", () =>
    Effect.gen(function* () {
      const node = { isAway: false }
      const { keep, stored, told } = kept(node)
      assert.isNull(yield* keep("x".repeat(8 * 1_048_576)))
      node.isAway = true
      assert.isNull(yield* keep({}))
      assert.deepStrictEqual(stored, [])
      assert.deepStrictEqual(told(), [
        "What models are sent and answer can't be kept: 8388610 bytes are more than 8388608"
      ])
    })
  )
})
