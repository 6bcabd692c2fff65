import { it } from "@effect/vitest"
import * as fc from "fast-check"
import { assert, describe } from "vitest"
import { addressKind, isPublic, unmapped } from "../../src/network/addresses.ts"

const kinds = {
  public: ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"],
  private: [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "fc00::1",
    "fdff::1",
    "fec0::1"
  ],
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  shared: ["100.64.0.0", "100.127.255.255"],
  metadata: ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"],
  "link-local": ["169.254.0.1", "169.254.255.255", "fe80::1", "febf::1"],
  benchmark: ["198.18.0.1", "198.19.255.255", "2001:2::1"],
  documentation: ["192.0.2.1", "198.51.100.1", "203.0.113.255", "2001:db8::1", "3fff::1"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  reserved: [
    "192.0.0.1",
    "192.88.99.1",
    "240.0.0.1",
    "255.255.255.255",
    "100::1",
    "2001::1",
    "4000::1",
    "64:ff9b:2::1"
  ],
  unspecified: ["0.0.0.0", "0.1.2.3", "::"]
} as const

describe("The kind of an address", () => {
  it.each(Object.entries(kinds).flatMap(([kind, all]) => all.map((address) => [address, kind] as const)))(
    "%s is %s",
    (address, kind) => assert.strictEqual(addressKind(address), kind)
  )

  it.each([
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["0:0:0:0:0:ffff:a9fe:a9fe", "metadata"],
    ["::ffff:8.8.8.8", "public"],
    ["::10.0.0.1", "private"],
    ["::8.8.8.8", "reserved"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b::8.8.8.8", "public"],
    ["2002:7f00:1::", "loopback"],
    ["2002:a9fe:a9fe::1", "metadata"],
    ["2002:808:808::1", "public"],
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "reserved"],
    ["::ffff:0:127.0.0.1", "reserved"]
  ])("%s is as %s as what it carries", (address, kind) => assert.strictEqual(addressKind(address), kind))

  it.each(["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888", "2001:200::1"])(
    "%s is public",
    (address) => assert.isTrue(isPublic(address))
  )

  it.each(["fe80::1%eth0", "::1%lo", "2606:4700::1%1", "example.com", "", "1.2.3", "0x7f.1", "127.0.0.1."])(
    "%j is no address, so that nothing goes there",
    (text) => assert.strictEqual(addressKind(text), "reserved")
  )

  it("is the same mapped into IPv6, for every IPv4 address", () =>
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        assert.strictEqual(addressKind(`::ffff:${address}`), addressKind(address))
        assert.strictEqual(unmapped(`::ffff:${address}`), address)
      })
    ))

  it("is public in IPv6 only in global unicast space, or for what carries a public IPv4 address", () =>
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const carries = /^(::|0:|64:ff9b:|0064:ff9b:)/i.test(address)
        if (isPublic(address) && !carries) assert.match(address.padStart(4, "0"), /^[23][0-9a-f]{3}:/i)
      }),
      { numRuns: 2_000 }
    ))
})
