import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as Headers from "effect/http/Headers"
import { makeSenderOf } from "../../src/gateway/Origins.ts"

const takes = (listening: string, host: string, publicUrl: string | null = null) => {
  const senderOf = makeSenderOf({ host: listening, publicUrl: Option.fromNullOr(publicUrl), corsOrigins: [] })
  return senderOf(Headers.fromInput({ host })) === "none"
}

describe("a server that listens", () => {
  it("on loopback is known by names of loopback", () => {
    for (const host of ["localhost:4777", "127.0.0.1:4777", "127.0.0.2", "[::1]:4777"]) {
      assert.isTrue(takes("127.0.0.1", host), host)
    }
    for (const host of ["192.168.1.5:4777", "evil.example", "127.0.0.1.evil.example", ""]) {
      assert.isFalse(takes("127.0.0.1", host), host)
    }
  })

  it("at one address is known by that one", () => {
    assert.isTrue(takes("192.168.1.5", "192.168.1.5:4777"))
    for (const host of ["192.168.1.6:4777", "127.0.0.1:4777", "localhost:4777", "evil.example"]) {
      assert.isFalse(takes("192.168.1.5", host), host)
    }
  })

  it("at every address is known by addresses, and by no name", () => {
    for (const host of ["192.168.1.5:4777", "[fd00::1]:4777", "localhost"]) assert.isTrue(takes("0.0.0.0", host), host)
    assert.isFalse(takes("0.0.0.0", "evil.example"))
  })

  it("behind a proxy is known by the proxy's name, too", () => {
    assert.isTrue(takes("127.0.0.1", "troupe.example.com", "https://troupe.example.com"))
    assert.isTrue(takes("127.0.0.1", "localhost:4777", "https://troupe.example.com"))
  })
})
