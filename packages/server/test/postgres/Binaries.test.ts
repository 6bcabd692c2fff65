import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import type { Account } from "../../src/postgres/Account.ts"
import { prepareBinaries } from "../../src/postgres/Binaries.ts"
import { temporaryDirectory } from "../support/EmbeddedHome.ts"

const self: Account = {
  name: "self",
  uid: process.getuid?.() ?? -1,
  gid: process.getgid?.() ?? -1,
  switched: false
}
const nobody: Account = { name: "nobody", uid: 65534, gid: 65534, switched: true }

/** A package as a manager that ran no scripts and lost the modes leaves it. */
const unpacked = (directory: string) => {
  const native = join(directory, "package/native")
  mkdirSync(join(native, "bin"), { recursive: true })
  mkdirSync(join(native, "lib"))
  for (const program of ["initdb", "postgres", "pg_ctl"])
    writeFileSync(join(native, "bin", program), "", { mode: 0o644 })
  writeFileSync(join(native, "lib/libpq.so.5.18"), "library")
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }]
  writeFileSync(join(native, "pg-symlinks.json"), JSON.stringify(links))
  return { native, platform: "test", version: `0.0.${randomBytes(4).toString("hex")}`, major: "0" }
}

const isReady = (postgres: string) => {
  assert.strictEqual(statSync(postgres).mode & 0o111, 0o111)
  assert.strictEqual(readlinkSync(join(postgres, "../../lib/libpq.so.5")), "libpq.so.5.18")
}

describe("Binaries", () => {
  it.live("are repaired where they lie", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const found = unpacked(directory)
      const { postgres } = yield* prepareBinaries(found, self, directory)
      assert.isTrue(postgres.startsWith(found.native))
      isReady(postgres)
    })
  )
})

requires("root")("Binaries for another account", () => {
  it.live("are copied once to where another account reaches them, and only from root's own directory", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const found = unpacked(directory)
      chmodSync(directory, 0o700)
      const copies = yield* Effect.all(
        Array.from({ length: 3 }, () => prepareBinaries(found, nobody, directory)),
        { concurrency: "unbounded" }
      )
      const { postgres } = copies[0] ?? assert.fail()
      const cache = join(postgres, "../../..")
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(cache, { recursive: true })))
      assert.strictEqual(cache, `/var/cache/troupe/postgres-${found.version}-test`)
      isReady(postgres)
      assert.deepStrictEqual(new Set(copies.map((copy) => copy.postgres)).size, 1)
      assert.strictEqual(readFileSync(join(cache, "native/lib/libpq.so.5"), "utf8"), "library")
      assert.deepStrictEqual(
        readdirSync("/var/cache/troupe").filter((name) => name.includes(".partial-") && name.includes(found.version)),
        []
      )
      chmodSync(cache, 0o777)
      const refusal = yield* Effect.flip(prepareBinaries(found, nobody, directory))
      assert.include(refusal.message, "is not ours alone to write")
    })
  )
})
