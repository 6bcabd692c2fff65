import { fromTime, prefixes, type IdKind } from "@troupe/domain/Ids"
import { Context, Layer } from "effect"
import { randomFillSync } from "node:crypto"

/** Where new ids and salts come from: the one source of randomness of the log, and a seed's in tests. */
export class Minting extends Context.Service<
  Minting,
  {
    readonly id: (kind: IdKind, timeMs: number) => string
    /** 128 bits as hexadecimal digits. */
    readonly salt: () => string
  }
>()("server/Minting") {
  static readonly make = (random: (bytes: Uint8Array) => void) => {
    // One call to the generator serves many ids: it costs more than what it returns.
    const pool = Buffer.alloc(4_096)
    let at = pool.length
    const take = (length: number): Buffer => {
      if (at + length > pool.length) {
        random(pool)
        at = 0
      }
      at += length
      return pool.subarray(at - length, at)
    }
    return Minting.of({
      id: (kind, timeMs) => fromTime(prefixes[kind], timeMs, take(10)),
      salt: () => take(16).toString("hex")
    })
  }

  static readonly layer = Layer.sync(Minting, () => Minting.make((bytes) => randomFillSync(bytes)))
}
