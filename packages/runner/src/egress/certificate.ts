import { createHash, type KeyObject, randomBytes, sign } from "node:crypto"
import { isIPv4, isIPv6 } from "node:net"
import { addressBytes } from "@troupe/domain/network/addresses"
import { bits, explicit, implicit, integer, octets, oid, sequence, set, time, utf8, yes } from "./der.ts"

export interface CertificateRequest {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly issuerPublicKey: KeyObject
  readonly issuerKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** The host that a leaf is for; null makes an authority. */
  readonly host: string | null
}

const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"))
const commonName = (text: string) => sequence(set(sequence(oid("2.5.4.3"), utf8(text))))
const publicKeyDer = (key: KeyObject) => key.export({ type: "spki", format: "der" })
const keyId = (key: KeyObject) => createHash("sha256").update(publicKeyDer(key)).digest().subarray(0, 20)

const extension = (id: string, isCritical: boolean, value: Uint8Array) =>
  sequence(oid(id), ...(isCritical ? [yes] : []), octets(value))

const alternativeName = (host: string) =>
  isIPv4(host) || isIPv6(host) ? implicit(7, Uint8Array.from(addressBytes(host))) : implicit(2, Buffer.from(host))

const authorityExtensions = [
  // An authority that signs leaves and no further authority.
  extension("2.5.29.19", true, sequence(yes, integer(Uint8Array.of(0)))),
  // Signs certificates and revocation lists.
  extension("2.5.29.15", true, bits(Uint8Array.of(0x06), 1))
]

const leafExtensions = (host: string) => [
  extension("2.5.29.19", true, sequence()),
  extension("2.5.29.15", true, bits(Uint8Array.of(0x80), 7)),
  extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"))),
  extension("2.5.29.17", false, sequence(alternativeName(host)))
]

/** An X.509 certificate of version 3 over keys of the curve P-256, in PEM. */
export const certificate = (request: CertificateRequest): string => {
  const body = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(randomBytes(16)),
    ecdsaWithSha256,
    commonName(request.issuer),
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    commonName(request.subject),
    publicKeyDer(request.publicKey),
    explicit(
      3,
      sequence(
        ...(request.host === null ? authorityExtensions : leafExtensions(request.host)),
        extension("2.5.29.14", false, octets(keyId(request.publicKey))),
        extension("2.5.29.35", false, sequence(implicit(0, keyId(request.issuerPublicKey))))
      )
    )
  )
  const der = sequence(body, ecdsaWithSha256, bits(sign("sha256", body, request.issuerKey)))
  const lines = der.toString("base64").match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`
}
