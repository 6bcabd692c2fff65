import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "vitest"
import { parseHosts, Resolver } from "../../src/egress/Resolver.ts"
import { nameServer, type Zone } from "../support/NameServer.ts"
import { temporaryDirectory } from "../support/proxyWorld.ts"

const zone: Zone = {
  "both.test": { A: ["192.0.2.1", "192.0.2.2"], AAAA: [[0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1]] },
  "empty.test": {},
  "many.test": { A: Array.from({ length: 25 }, (_, i) => `192.0.2.${i}`) },
  "listed.test": { A: ["192.0.2.3"] },
  localhost: { A: ["192.0.2.4"] }
}

const resolving = Effect.gen(function* () {
  const { at } = yield* nameServer(zone)
  const hostsFile = join(yield* temporaryDirectory, "hosts")
  writeFileSync(hostsFile, "10.0.0.1 listed.test other.test # of this host\n")
  const { resolve } = yield* Resolver.pipe(Effect.provide(Resolver.layer({ servers: [at], hostsFile })))
  return { hostsFile, resolve }
})

describe("A name", () => {
  it.live("has the addresses that its name server says, IPv4 first", () =>
    Effect.gen(function* () {
      const { resolve } = yield* resolving
      assert.deepStrictEqual([...(yield* resolve("both.test"))].sort(), ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
      assert.strictEqual((yield* resolve("both.test")).at(-1), "2001:db8::1")
    })
  )

  it.live("has no more addresses than can be meant", () =>
    Effect.gen(function* () {
      const { resolve } = yield* resolving
      assert.strictEqual((yield* resolve("many.test")).length, 16)
    })
  )

  it.live("may have none, for a reason", () =>
    Effect.gen(function* () {
      const { resolve } = yield* resolving
      assert.strictEqual((yield* Effect.flip(resolve("unknown.test"))).code, "ENOTFOUND")
      assert.strictEqual((yield* Effect.flip(resolve("empty.test"))).code, "ENODATA")
    })
  )

  it.live("of the hosts file comes from there, also when that changes", () =>
    Effect.gen(function* () {
      const { hostsFile, resolve } = yield* resolving
      assert.deepStrictEqual(yield* resolve("listed.test"), ["10.0.0.1"])
      writeFileSync(hostsFile, "")
      utimesSync(hostsFile, 1, 1)
      assert.deepStrictEqual(yield* resolve("listed.test"), ["192.0.2.3"])
    })
  )

  it.live("of the loopback is never asked for", () =>
    Effect.gen(function* () {
      const { resolve } = yield* resolving
      assert.deepStrictEqual(yield* resolve("localhost"), ["127.0.0.1", "::1"])
      assert.deepStrictEqual(yield* resolve("a.localhost"), ["127.0.0.1", "::1"])
    })
  )
})

describe("A hosts file", () => {
  it.live("may hold comments, several names, and what is no address", () =>
    Effect.sync(() => {
      const hosts = parseHosts("# all\n127.0.0.1\tlocalhost Alias # x\n::1 localhost\n\nnonsense here\n 10.0.0.1  a\n")
      assert.deepStrictEqual(Object.fromEntries(hosts), {
        localhost: ["127.0.0.1", "::1"],
        alias: ["127.0.0.1"],
        a: ["10.0.0.1"]
      })
    })
  )
})
