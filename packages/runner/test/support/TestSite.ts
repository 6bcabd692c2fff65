import { Effect } from "effect"
import { generateKeyPairSync } from "node:crypto"
import type { RequestListener } from "node:http"
import { createServer } from "node:https"
import { certificate } from "../../src/egress/certificate.ts"
import { listening } from "./LocalServer.ts"

const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" })

/** An HTTPS server of a name, under an authority of its own: what stands for the world outside. */
export const testSite = Effect.fnUntraced(function* (host: string, listener: RequestListener) {
  const [authority, leaf] = [newKey(), newKey()]
  const now = Date.now()
  const dates = { notBeforeMs: now - 3_600_000, notAfterMs: now + 3_600_000 }
  const issuer = {
    ...dates,
    issuer: "Outside",
    issuerPublicKey: authority.publicKey,
    issuerKey: authority.privateKey
  }
  const ca = certificate({ ...issuer, subject: "Outside", publicKey: authority.publicKey, host: null })
  const cert = certificate({ ...issuer, subject: host, publicKey: leaf.publicKey, host })
  const server = createServer({ cert, key: leaf.privateKey.export({ type: "pkcs8", format: "pem" }) }, listener)
  const port = yield* listening(server)
  return { port, ca, server, authority: `${host}:${port}` }
})
