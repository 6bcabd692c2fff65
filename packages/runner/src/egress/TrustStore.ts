import { Context, Effect, Layer, Schema, type Scope } from "effect"
import { X509Certificate } from "node:crypto"
import { readFile } from "node:fs/promises"
import { isIP, type Socket } from "node:net"
import { connect, createSecureContext, rootCertificates, type SecureContext, type TLSSocket } from "node:tls"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { Unreachable } from "./Outbound.ts"

/** Where distributions keep the certificates their programs trust. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem"
]

export class CertificateUnreadable extends Schema.TaggedError<CertificateUnreadable>()("CertificateUnreadable", {
  detail: Schema.String
}) {
  override get message() {
    return `An extra certificate can't be used: ${this.detail}`
  }
}

/** Whom we believe when we end TLS: what this host's own programs believe, and what the installation adds. */
export class TrustStore extends Context.Service<
  TrustStore,
  {
    /** All certificates, as one PEM text. */
    readonly pem: string
    /** TLS over a socket that is connected, with the other end verified to be `asked.host`. */
    readonly secure: (socket: Socket, asked: Endpoint) => Effect.Effect<TLSSocket, Unreachable, Scope.Scope>
  }
>()("runner/egress/TrustStore") {
  /** `extra` are PEM texts of authorities. */
  static readonly layer = (extra: ReadonlyArray<string> = []) => Layer.effect(TrustStore, make(extra))
}

const systemPem = Effect.gen(function* () {
  for (const file of bundles) {
    const pem = yield* Effect.tryPromise(() => readFile(file, "utf8")).pipe(Effect.orElseSucceed(() => ""))
    if (pem.includes("BEGIN CERTIFICATE")) return pem
  }
  return rootCertificates.join("\n")
})

const secureWith = (context: SecureContext) => (socket: Socket, asked: Endpoint) =>
  Effect.acquireRelease(
    Effect.callback<TLSSocket, Unreachable>((resume) => {
      const name = isIP(asked.host) === 0 ? { servername: asked.host } : {}
      const secured = connect({
        socket,
        host: asked.host,
        ...name,
        secureContext: context,
        ALPNProtocols: ["http/1.1"]
      })
      secured.on("error", (error: NodeJS.ErrnoException) => {
        secured.destroy()
        resume(Effect.fail(new Unreachable({ ...asked, reason: "tls", detail: error.code ?? "the handshake failed" })))
      })
      secured.once("secureConnect", () => resume(Effect.succeed(secured)))
      return Effect.sync(() => secured.destroy())
    }),
    (secured) => Effect.sync(() => secured.destroy()),
    { interruptible: true }
  )

const make = Effect.fnUntraced(function* (extra: ReadonlyArray<string>) {
  yield* Effect.try({
    try: () => extra.forEach((pem) => new X509Certificate(pem)),
    catch: (cause) => new CertificateUnreadable({ detail: String((cause as Error).message) })
  })
  const pem = [yield* systemPem, ...extra].map((text) => `${text.trimEnd()}\n`).join("")
  return TrustStore.of({ pem, secure: secureWith(createSecureContext({ ca: pem, minVersion: "TLSv1.2" })) })
})
