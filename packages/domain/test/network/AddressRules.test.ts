import { Result } from "effect"
import { assert, describe, it } from "vitest"
import { addressRules, checkAddress, checkName, ownNames, withOwnAddresses } from "../../src/network/AddressRules.ts"

const rules = Result.getOrThrow(
  addressRules({
    alsoAllowed: ["registry.corp:5000", "10.1.2.3:443", "[fd00::5]:443", "localhost:8080"],
    ours: ["db.corp:5432", "127.0.0.1:4777", "10.1.2.3:5432"]
  })
)
const none: ReadonlySet<string> = new Set()
const codeOf = (result: Result.Result<void, { readonly code: string }>) =>
  Result.isSuccess(result) ? "allowed" : result.failure.code
const check = (host: string, port: number, address: string, own = none) =>
  codeOf(checkAddress(rules, { host, port }, address, own))

describe("The rules of addresses", () => {
  it.each([
    ["a public address is reached", check("example.com", 443, "1.1.1.1"), "allowed"],
    ["a private one is not", check("example.com", 443, "10.0.0.1"), "address_not_public"],
    ["nor a metadata service", check("example.com", 80, "169.254.169.254"), "address_not_public"],
    ["a named endpoint is reached where it is private", check("registry.corp", 5000, "10.0.0.9"), "allowed"],
    ["but on no other port", check("registry.corp", 5001, "10.0.0.9"), "address_not_public"],
    [
      "and not where its name leads to a metadata service",
      check("registry.corp", 5000, "169.254.169.254"),
      "address_not_public"
    ],
    ["nor to a link-local address", check("registry.corp", 5000, "fe80::1"), "address_not_public"],
    ["an address that is named is reached by any name", check("mirror.example", 443, "10.1.2.3"), "allowed"],
    ["also mapped into IPv6", check("mirror.example", 443, "::ffff:10.1.2.3"), "allowed"],
    ["a named loopback server is reached", check("localhost", 8080, "127.0.0.1"), "allowed"],
    ["our own is never reached by name", check("db.corp", 5432, "1.1.1.1"), "own_service"],
    ["nor by address", check("elsewhere.example", 5432, "10.1.2.3"), "own_service"],
    ["nor by another name or address of the loopback", check("elsewhere.example", 4777, "127.9.9.9"), "own_service"],
    ["nor mapped", check("elsewhere.example", 4777, "::ffff:127.0.0.1"), "own_service"],
    [
      "a public address of this very host is not public",
      check("me.example", 443, "1.1.1.1", new Set(["1.1.1.1"])),
      "address_not_public"
    ]
  ])("%s", (_says, actual, expected) => assert.strictEqual(actual, expected))

  it("refuse our own before its name is looked up", () => {
    assert.strictEqual(codeOf(checkName(rules, { host: "db.corp", port: 5432 })), "own_service")
    assert.strictEqual(codeOf(checkName(rules, { host: "localhost", port: 4777 })), "own_service")
    assert.strictEqual(codeOf(checkName(rules, { host: "db.corp", port: 443 })), "allowed")
  })

  it("refuse our own by whatever address of this host it is asked for", () => {
    const host = new Set(["10.0.0.7", "1.1.1.1"])
    const opened = Result.getOrThrow(
      addressRules({
        alsoAllowed: ["10.0.0.7:4777", "127.0.0.1:8080", "10.0.0.9:4777"],
        ours: ["0.0.0.0:4777", "1.1.1.1:8080"]
      })
    )
    const on = (at: string, port: number) => codeOf(checkAddress(opened, { host: at, port }, at, host))
    assert.deepStrictEqual(
      [on("10.0.0.7", 4777), on("127.0.0.1", 8080), on("10.0.0.9", 4777)],
      ["own_service", "own_service", "allowed"]
    )
  })

  it("refuse where the names of our own lead, on their ports", () => {
    assert.deepStrictEqual([ownNames(rules, 5432), ownNames(rules, 4777)], [["db.corp"], []])
    const known = withOwnAddresses(rules, 5432, ["1.1.1.1"])
    const at = (host: string, port: number) => codeOf(checkAddress(known, { host, port }, "1.1.1.1", none))
    assert.deepStrictEqual(
      [at("1.1.1.1", 5432), at("alias.example", 5432), at("alias.example", 443)],
      ["own_service", "own_service", "allowed"]
    )
  })

  it.each([
    ["what is no endpoint", { alsoAllowed: ["registry.corp"] }],
    ["a pattern", { alsoAllowed: ["*.corp:0"] }],
    ["our own", { alsoAllowed: ["localhost:5432"], ours: ["127.0.0.1:5432"] }],
    ["a metadata service", { alsoAllowed: ["169.254.169.254:80"] }],
    ["a link-local address", { alsoAllowed: ["[fe80::1]:80"] }],
    ["all addresses", { alsoAllowed: ["0.0.0.0:80"] }]
  ])("can't name %s", (_what, lists) => assert.isTrue(Result.isFailure(addressRules(lists))))
})
