import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { X509Certificate } from "node:crypto"
import { connect, createServer, type SecureContext } from "node:tls"
import { describe } from "vitest"
import { makeAuthority } from "../../src/egress/CertificateAuthority.ts"
import { listening } from "../support/LocalServer.ts"

/** What a client sees that trusts `ca`, and asks for `host`: the leaf, or the code of its doubt. */
const visit = (context: SecureContext, ca: string, host: string) =>
  Effect.gen(function* () {
    const server = createServer({ SNICallback: (_name, done) => done(null, context) })
    server.on("tlsClientError", () => {})
    const port = yield* listening(server)
    return yield* Effect.callback<X509Certificate | string>((resume) => {
      const socket = connect({ port, host: "127.0.0.1", servername: host, ca }, () => {
        resume(Effect.succeed(socket.getPeerX509Certificate()!))
        socket.destroy()
      })
      socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? "?")))
    })
  }).pipe(Effect.scoped)

describe("The authority of a sandbox", () => {
  it.live("is one that signs leaves and no other authority", () =>
    Effect.gen(function* () {
      const certificate = new X509Certificate((yield* makeAuthority("Troupe sandbox x")).certificate)
      assert.isTrue(certificate.ca)
      assert.isTrue(certificate.verify(certificate.publicKey))
      assert.strictEqual(certificate.subject, "CN=Troupe sandbox x")
      assert.strictEqual(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1")
    })
  )

  it.live.each(["example.test", "xn--bcher-kva.example", `${"a".repeat(63)}.${"b".repeat(63)}.test`])(
    "is believed as %s, by whom trusts it",
    (host) =>
      Effect.gen(function* () {
        const authority = yield* makeAuthority("one")
        const context = yield* authority.contextFor(host)
        const seen = yield* visit(context, authority.certificate, host)
        assert.isTrue(seen instanceof X509Certificate && seen.checkHost(host) === host)
      })
  )

  it.live("signs for addresses too", () =>
    Effect.gen(function* () {
      const authority = yield* makeAuthority("one")
      for (const address of ["192.0.2.7", "2001:db8::7"]) {
        const seen = yield* visit(yield* authority.contextFor(address), authority.certificate, "x.test")
        assert.strictEqual(seen, "ERR_TLS_CERT_ALTNAME_INVALID")
      }
    })
  )

  it.live("is believed neither as another host nor by the sandbox beside it", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* makeAuthority("one"), yield* makeAuthority("one")]
      const context = yield* one.contextFor("a.test")
      assert.strictEqual(yield* visit(context, one.certificate, "b.test"), "ERR_TLS_CERT_ALTNAME_INVALID")
      assert.isString(yield* visit(context, other.certificate, "a.test"))
    })
  )

  it.effect("makes a leaf once, and anew before it ends", () =>
    Effect.gen(function* () {
      const { contextFor } = yield* makeAuthority("one")
      const first = yield* contextFor("a.test")
      assert.strictEqual(yield* contextFor("a.test"), first)
      yield* TestClock.adjust("2 days")
      assert.notStrictEqual(yield* contextFor("a.test"), first)
    })
  )

  it.live("keeps a bounded number of leaves, and those in use", () =>
    Effect.gen(function* () {
      const { contextFor } = yield* makeAuthority("one")
      const used = yield* contextFor("used.test")
      const unused = yield* contextFor("unused.test")
      for (let i = 0; i < 300; i++) {
        yield* contextFor(`${i}.test`)
        assert.strictEqual(yield* contextFor("used.test"), used)
      }
      assert.notStrictEqual(yield* contextFor("unused.test"), unused)
    })
  )
})
