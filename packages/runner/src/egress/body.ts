import { Effect, Schema } from "effect"
import type { IncomingMessage } from "node:http"
import { pipeline, type Readable, type Transform } from "node:stream"
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib"

class BodyUnreadable extends Schema.TaggedError<BodyUnreadable>()("BodyUnreadable", {
  reason: Schema.Literals(["encoding", "protocol"]),
  detail: Schema.String
}) {}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress
}

interface Body {
  readonly bytes: Uint8Array
  readonly truncated: boolean
}

/** Up to `maxBytes`: the rest is neither read nor decompressed, so that no small body becomes a big one. */
const collect = (source: Readable, maxBytes: number, failsAs: BodyUnreadable["reason"]) =>
  Effect.callback<Body, BodyUnreadable>((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const end = (truncated: boolean) =>
      resume(Effect.sync(() => ({ bytes: new Uint8Array(Buffer.concat(chunks)), truncated })))
    const fail = (detail: string) => resume(Effect.fail(new BodyUnreadable({ reason: failsAs, detail })))
    source.on("data", (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, maxBytes - size))
      if (size + chunk.length > maxBytes) {
        size = maxBytes
        end(true)
        source.destroy()
        return
      }
      size += chunk.length
    })
    source.once("end", () => end(false))
    source.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? "it broke off"))
    source.once("close", () => fail("it broke off"))
    return Effect.sync(() => source.destroy())
  })

const bodiless: ReadonlySet<number | undefined> = new Set([204, 205, 304])

/** The body of an answer as it was before it was compressed. */
export const readBody = Effect.fnUntraced(function* (response: IncomingMessage, maxBytes: number) {
  if (maxBytes === 0 || bodiless.has(response.statusCode)) return { bytes: new Uint8Array(), truncated: false }
  const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase()
  if (encoding === "identity" || encoding === "") return yield* collect(response, maxBytes, "protocol")
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  if (decoder === undefined) {
    return yield* new BodyUnreadable({ reason: "encoding", detail: `${encoding.slice(0, 64)} is not understood` })
  }
  return yield* collect(
    pipeline(response, decoder(), () => {}),
    maxBytes,
    "encoding"
  )
})
