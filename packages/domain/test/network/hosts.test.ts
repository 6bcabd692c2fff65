import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { normalHost, parseAuthority } from "../../src/network/hosts.ts"

describe("A host", () => {
  it.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
    ["ｅｘａｍｐｌｅ.com", "example.com"],
    ["_dmarc.example.com", "_dmarc.example.com"],
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1.", "127.0.0.1"],
    ["127.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    ["0x7f000001", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["0177.0.0.1", "127.0.0.1"],
    ["127。0。0。1", "127.0.0.1"],
    ["①②⑦.0.0.1", "127.0.0.1"],
    ["[::1]", "::1"],
    ["::1", "::1"],
    ["[0:0:0:0:0:0:0:1]", "::1"],
    ["[::FFFF:127.0.0.1]", "::ffff:7f00:1"]
  ])("written %s is %s", (spelled, host) => assert.strictEqual(normalHost(spelled), host))

  it.each([
    "",
    ".",
    "..",
    "a..b",
    "example.com..",
    "256.0.0.1",
    "1.2.3.4.5",
    "0x7f.0.0.0.1",
    "example.com:80",
    "user@example.com",
    "example.com/path",
    "example.com?x",
    "example.com#x",
    "example.com\\x",
    "exa mple.com",
    "example.com\t",
    "example.com\r\nHost: other",
    "exam\0ple.com",
    "%31%32%37.0.0.1",
    "[::1",
    "::1]",
    "[::1%25eth0]",
    "fe80::1%eth0",
    "[example.com]",
    "[127.0.0.1]",
    `${"a".repeat(64)}.com`,
    `${"a.".repeat(127)}com`,
    "a".repeat(5_000)
  ])("%j is none", (spelled) => assert.isUndefined(normalHost(spelled)))

  it("has one spelling: what is normal stays as it is", () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4Extended(), fc.ipV6()), (spelled) => {
        const once = normalHost(spelled)
        if (once !== undefined) assert.strictEqual(normalHost(once), once)
      }),
      { numRuns: 2_000 }
    ))
})

describe("An authority", () => {
  it.each([
    ["Example.com:443", { host: "example.com", port: 443 }],
    ["[::1]:8080", { host: "::1", port: 8080 }],
    ["1.1.1.1:1", { host: "1.1.1.1", port: 1 }]
  ])("%s is read", (text, parsed) => assert.deepStrictEqual(parseAuthority(text), parsed))

  it.each([
    "example.com",
    "example.com:",
    ":443",
    "example.com:0",
    "example.com:65536",
    "example.com:4x3",
    "::1:80",
    "a:b:80"
  ])("%s is refused", (text) => assert.isUndefined(parseAuthority(text)))
})
