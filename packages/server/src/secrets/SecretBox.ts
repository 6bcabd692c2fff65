import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { type MasterKeyUnusable, MasterKeys } from "./MasterKeys.ts"

/** What was sealed can't be opened: by another key, for another place, or spoiled. */
export class SecretSealed extends Schema.TaggedError<SecretSealed>()("SecretSealed", {
  place: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The secret of ${this.place} can't be opened: ${this.detail}`
  }
}

/** Seals secrets for the database. */
export class SecretBox extends Context.Service<
  SecretBox,
  {
    /** `place` says whose secret it is: moved to another row, it opens no more. */
    readonly seal: (place: string, secret: Redacted.Redacted) => Effect.Effect<Uint8Array, MasterKeyUnusable>
    readonly open: (
      place: string,
      sealed: Uint8Array
    ) => Effect.Effect<Redacted.Redacted, MasterKeyUnusable | SecretSealed>
  }
>()("server/SecretBox") {
  static readonly layer: Layer.Layer<SecretBox, never, MasterKeys> = Layer.effect(
    SecretBox,
    Effect.suspend(() => make)
  )
}

/** A version, the key's id, a nonce and a tag go before what was sealed, in this order. */
const sizes = { version: 1, keyId: 8, nonce: 12, tag: 16 }
const version = 1
const headBytes = sizes.version + sizes.keyId + sizes.nonce + sizes.tag

const associated = (place: string) => Buffer.from(`troupe secret ${version}\n${place}`)

const make = Effect.gen(function* () {
  const keys = yield* MasterKeys

  const seal = Effect.fn("SecretBox.seal")(function* (place: string, secret: Redacted.Redacted) {
    const [key] = yield* keys.all
    const nonce = randomBytes(sizes.nonce)
    const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce).setAAD(associated(place))
    const body = Buffer.concat([cipher.update(Redacted.value(secret), "utf8"), cipher.final()])
    return Buffer.concat([Buffer.of(version), Buffer.from(key.keyId, "hex"), nonce, cipher.getAuthTag(), body])
  })

  const open = Effect.fn("SecretBox.open")(function* (place: string, sealed: Uint8Array) {
    const bytes = Buffer.from(sealed)
    const refuse = (detail: string) => new SecretSealed({ place, detail })
    if (bytes.length < headBytes || bytes[0] !== version) return yield* refuse("its form is not known")
    const keyId = bytes.subarray(1, 1 + sizes.keyId).toString("hex")
    const key = (yield* keys.all).find((one) => one.keyId === keyId)
    if (key === undefined) return yield* refuse(`this node has no key ${keyId}; name it in TROUPE_MASTER_KEY`)
    const nonceAt = 1 + sizes.keyId
    const tagAt = nonceAt + sizes.nonce
    return yield* Effect.try({
      try: () => {
        const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(nonceAt, tagAt))
        decipher.setAAD(associated(place)).setAuthTag(bytes.subarray(tagAt, headBytes))
        const text = Buffer.concat([decipher.update(bytes.subarray(headBytes)), decipher.final()])
        return Redacted.make(text.toString("utf8"))
      },
      catch: () => refuse("it was changed, or belongs elsewhere")
    })
  })

  return SecretBox.of({ seal, open })
})
