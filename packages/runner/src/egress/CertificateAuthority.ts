import { Clock, Effect } from "effect"
import { generateKeyPair, type KeyObject } from "node:crypto"
import { createSecureContext, type SecureContext } from "node:tls"
import { promisify } from "node:util"
import { certificate } from "./certificate.ts"

/** What one sandbox trusts beside the public authorities. Its key is in this process's memory and nowhere else. */
export interface CertificateAuthority {
  /** In PEM. */
  readonly certificate: string
  /** What to end TLS with as `host`. */
  readonly contextFor: (host: string) => Effect.Effect<SecureContext>
}

const dayMs = 86_400_000
const authorityDays = 730
const leafDays = 7
/** A leaf is made anew well before it ends. */
const leafUsedMs = dayMs
const leavesMax = 256

const newKey = () => promisify(generateKeyPair)("ec", { namedCurve: "P-256" })

interface Leaf {
  readonly context: SecureContext
  readonly madeAtMs: number
}

/** `name` is what a person reads when looking at the certificate. */
export const makeAuthority = Effect.fn("CertificateAuthority.make")(function* (name: string) {
  const now = yield* Clock.currentTimeMillis
  const own = yield* Effect.promise(newKey)
  // One key for all leaves: they differ in the host alone, and none of them leaves this process.
  const leafKey = yield* Effect.promise(newKey)
  const leafPem = leafKey.privateKey.export({ type: "pkcs8", format: "pem" })
  const signed = (subject: string, publicKey: KeyObject, days: number, atMs: number, host: string | null) =>
    certificate({
      subject,
      issuer: name,
      publicKey,
      issuerPublicKey: own.publicKey,
      issuerKey: own.privateKey,
      notBeforeMs: atMs - dayMs,
      notAfterMs: atMs + days * dayMs,
      host
    })
  const authority = signed(name, own.publicKey, authorityDays, now, null)
  const leaves = new Map<string, Leaf>()

  const contextFor = Effect.fnUntraced(function* (host: string) {
    const atMs = yield* Clock.currentTimeMillis
    const known = leaves.get(host)
    const isFresh = known !== undefined && atMs - known.madeAtMs < leafUsedMs
    const leaf = isFresh
      ? known
      : {
          context: createSecureContext({
            key: leafPem,
            cert: signed("Troupe egress", leafKey.publicKey, leafDays, atMs, host),
            minVersion: "TLSv1.2"
          }),
          madeAtMs: atMs
        }
    // In order of use, so that the oldest goes first.
    leaves.delete(host)
    leaves.set(host, leaf)
    if (leaves.size > leavesMax) leaves.delete(leaves.keys().next().value!)
    return leaf.context
  })

  const made: CertificateAuthority = { certificate: authority, contextFor }
  return made
})
