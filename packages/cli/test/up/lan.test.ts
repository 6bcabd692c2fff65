import { assert, describe, it } from "@effect/vitest"
import { isShared, lanAddressIn } from "../../src/up/lan.ts"

const at = (address: string, internal = false) => ({ address, internal, family: "IPv4" as const })

describe("The address in the local network", () => {
  it("is one that routers do not pass on", () => {
    const lo = [at("127.0.0.1", true)]
    assert.strictEqual(lanAddressIn({ lo, eth0: [at("192.168.1.5")] }), "192.168.1.5")
    assert.strictEqual(lanAddressIn({ lo, eth0: [at("203.0.113.5")], wlan0: [at("10.1.2.3")] }), "10.1.2.3")
    assert.strictEqual(lanAddressIn({ lo, eth0: [at("172.31.0.9")] }), "172.31.0.9")
  })

  it("is none that only leads to the Internet, or to what runs on this host", () => {
    assert.isUndefined(lanAddressIn({ lo: [at("127.0.0.1", true)] }))
    assert.isUndefined(lanAddressIn({ eth0: [at("203.0.113.5"), at("172.32.0.1")] }))
    assert.isUndefined(lanAddressIn({ docker0: [at("172.17.0.1")], "br-1a2b": [at("172.18.0.1")] }))
  })

  it("is what others reach, and loopback is not", () => {
    for (const url of ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]) assert.isFalse(isShared(url), url)
    for (const url of ["http://192.168.1.5:1", "http://[fd00::1]:1"]) assert.isTrue(isShared(url), url)
  })
})
