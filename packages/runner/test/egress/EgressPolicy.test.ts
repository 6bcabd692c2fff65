import type { NetworkPolicy } from "@troupe/domain/environment/EnvironmentConfig"
import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { addressRules } from "@troupe/domain/network/AddressRules"
import { egressPolicy } from "../../src/egress/EgressPolicy.ts"
import { normalHost } from "@troupe/domain/network/hosts"
import { packageHosts } from "../../src/egress/packageHosts.ts"

const rules = Result.getOrThrow(addressRules({ alsoAllowed: ["registry.corp:5000", "10.0.0.7:8080"] }))
const mcpHosts = [{ host: "MCP.example", port: 8443 }]

const limited = (
  allowedHosts: ReadonlyArray<string>,
  { allowMcpServers = false, allowPackageManagers = false } = {}
): NetworkPolicy => ({ type: "limited", allowedHosts, allowMcpServers, allowPackageManagers })

const verdict = (policy: NetworkPolicy, host: string, port = 443) => {
  const decided = egressPolicy({ policy, mcpHosts, rules })({ host: normalHost(host)!, port })
  return Result.isSuccess(decided) ? "allowed" : decided.failure.code
}

const listed = limited([
  "example.com",
  "*.wild.example",
  "bücher.example",
  "registry.corp",
  "10.0.0.7",
  "Upper.Example"
])

describe("A limited network", () => {
  it.each([
    ["example.com", 443, "allowed"],
    ["example.com", 80, "allowed"],
    ["EXAMPLE.com.", 443, "allowed"],
    ["upper.example", 443, "allowed"],
    ["example.com", 22, "port_not_allowed"],
    ["example.com", 8080, "port_not_allowed"],
    ["example.com", 25, "mail_not_allowed"],
    ["www.example.com", 443, "host_not_allowed"],
    ["notexample.com", 443, "host_not_allowed"],
    ["example.com.evil.example", 443, "host_not_allowed"],
    ["example.co", 443, "host_not_allowed"],
    ["a.wild.example", 443, "allowed"],
    ["a.b.wild.example", 443, "allowed"],
    ["wild.example", 443, "host_not_allowed"],
    ["notwild.example", 443, "host_not_allowed"],
    ["bücher.example", 443, "allowed"],
    ["xn--bcher-kva.example", 443, "allowed"],
    ["1.1.1.1", 443, "host_not_allowed"],
    ["registry.corp", 5000, "allowed"],
    ["registry.corp", 5001, "port_not_allowed"],
    ["10.0.0.7", 8080, "allowed"],
    ["0x0a000007", 8080, "allowed"],
    ["pypi.org", 443, "host_not_allowed"],
    ["mcp.example", 8443, "host_not_allowed"]
  ])("asked for %s:%d: %s", (host, port, expected) => assert.strictEqual(verdict(listed, host, port), expected))

  it("reaches MCP servers where it is said, on their own ports", () => {
    const policy = limited([], { allowMcpServers: true })
    assert.strictEqual(verdict(policy, "mcp.example", 8443), "allowed")
    assert.strictEqual(verdict(policy, "mcp.example", 443), "host_not_allowed")
  })

  it.each(Object.values(packageHosts).flat())("reaches %s for packages, where it is said", (pattern) => {
    const host = pattern.replace("*.", "de.")
    assert.strictEqual(verdict(limited([], { allowPackageManagers: true }), host), "allowed")
    assert.strictEqual(verdict(limited([]), host), "host_not_allowed")
  })

  it("allows no host that no pattern is a part of", () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.domain(), { maxLength: 5 }), fc.domain(), (hosts, host) => {
        const allowed = verdict(limited(hosts.map((each, i) => (i % 2 === 0 ? each : `*.${each}`))), host) === "allowed"
        const expected = hosts.some((each, i) => (i % 2 === 0 ? host === each : host.endsWith(`.${each}`)))
        assert.strictEqual(allowed, expected)
      })
    ))

  it("allows everything below a wildcard, and not the apex", () =>
    fc.assert(
      fc.property(fc.domain(), fc.stringMatching(/^[a-z0-9]{1,10}$/), (host, label) => {
        assert.strictEqual(verdict(limited([`*.${host}`]), `${label}.${host}`), "allowed")
        assert.strictEqual(verdict(limited([`*.${host}`]), host), "host_not_allowed")
      })
    ))
})

describe("Another network", () => {
  it.each(["example.com", "1.1.1.1", "mcp.example", "pypi.org"])("none: %s is off", (host) =>
    assert.strictEqual(verdict({ type: "none" }, host), "network_off")
  )

  it.each([
    ["example.com", 443, "allowed"],
    ["example.com", 22, "allowed"],
    ["1.1.1.1", 8080, "allowed"],
    ["example.com", 25, "mail_not_allowed"]
  ])("unrestricted: %s:%d is %s", (host, port, expected) =>
    assert.strictEqual(verdict({ type: "unrestricted" }, host, port), expected)
  )
})
