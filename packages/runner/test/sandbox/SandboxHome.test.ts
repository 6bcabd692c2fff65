import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { accountRange } from "../../src/sandbox/Account.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { newSandboxId, temporaryState } from "../../src/sandbox/trial.ts"

const open = (directory: string) => Effect.provide(Effect.service(SandboxHome), SandboxHome.layer(directory))

describe("SandboxHome", { timeout: 60_000 }, () => {
  it.live("makes the directories once, and finds them again", () =>
    Effect.gen(function* () {
      const homes = yield* open(join(yield* temporaryState("troupe-home-"), "state"))
      const id = newSandboxId()
      const first = yield* homes.open(id)
      writeFileSync(join(first.workspace, "kept"), "here")
      const again = yield* homes.open(id)
      assert.deepStrictEqual(again, first)
      assert.strictEqual(readFileSync(join(again.workspace, "kept"), "utf8"), "here")
      assert.deepStrictEqual(yield* homes.list, [id])
    })
  )

  it.live("keeps each directory to the sandbox's own account", () =>
    Effect.gen(function* () {
      const homes = yield* open(join(yield* temporaryState("troupe-home-"), "state"))
      const { account, outputs, uploads, workspace } = yield* homes.open(newSandboxId())
      for (const path of [workspace, uploads, outputs]) {
        const { gid, mode, uid } = statSync(path)
        assert.deepStrictEqual([uid, gid, mode & 0o777], [account.uid, account.gid, 0o700])
      }
    })
  )

  it.live("removes what somebody hostile has built, and nothing it points to", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryState("troupe-home-")
      const homes = yield* open(join(directory, "state"))
      const id = newSandboxId()
      const { home, workspace } = yield* homes.open(id)
      const outside = join(directory, "outside")
      mkdirSync(outside)
      writeFileSync(join(outside, "file"), "stays")
      symlinkSync(outside, join(workspace, "link"))
      symlinkSync("/", join(workspace, "root"))
      mkdirSync(join(workspace, "closed/inner"), { recursive: true })
      chmodSync(join(workspace, "closed/inner"), 0)
      chmodSync(join(workspace, "closed"), 0)
      // Far deeper than one path can say.
      const deep = 'for (1 .. 300) { mkdir "d" x 200 and chdir "d" x 200 or die }'
      assert.strictEqual(spawnSync("perl", ["-e", deep], { cwd: workspace }).status, 0)

      yield* homes.remove(id)
      assert.isUndefined(lstatSync(home, { throwIfNoEntry: false }))
      assert.strictEqual(readFileSync(join(outside, "file"), "utf8"), "stays")
      assert.deepStrictEqual(yield* homes.list, [])
      yield* homes.remove(id)
    })
  )
})

requires("root")("SandboxHome for root", () => {
  it.live("gives each sandbox an account that no other one has, until it is removed", () =>
    Effect.gen(function* () {
      const state = join(yield* temporaryState("troupe-home-"), "state")
      const homes = yield* open(state)
      const [one, other] = [newSandboxId(), newSandboxId()]
      const first = yield* homes.open(one)
      const second = yield* homes.open(other)
      assert.isTrue(first.account.switched)
      assert.notStrictEqual(first.account.uid, second.account.uid)
      const taken = () => readdirSync(join(state, "accounts")).map(Number).toSorted()
      assert.deepStrictEqual(taken(), [first.account.uid, second.account.uid].toSorted())
      yield* homes.remove(one)
      assert.deepStrictEqual(taken(), [second.account.uid])
    })
  )

  it.live("owns what the directories are in, so that no link can take their place", () =>
    Effect.gen(function* () {
      const homes = yield* open(join(yield* temporaryState("troupe-home-"), "state"))
      const { account, home } = yield* homes.open(newSandboxId())
      assert.deepStrictEqual([statSync(home).uid, statSync(home).mode & 0o777], [0, 0o711])
      const moved = spawnSync("mv", ["workspace", "elsewhere"], { cwd: home, uid: account.uid, gid: account.gid })
      assert.notStrictEqual(moved.status, 0)
      assert.isTrue(existsSync(join(home, "workspace")))
    })
  )

  it.live("says which directory keeps the sandboxes' accounts out", () =>
    Effect.gen(function* () {
      const closed = join(yield* temporaryState("troupe-home-"), "closed")
      mkdirSync(closed, { mode: 0o700 })
      const { detail } = yield* Effect.flip(open(join(closed, "state")))
      assert.include(detail, `${closed} keeps other accounts out`)
    })
  )
})

describe("the numbers of sandboxes' accounts", () => {
  it("are where nobody else has any", () =>
    assert.deepStrictEqual(accountRange("         0          0 4294967295\n"), {
      first: 1_900_000_000,
      count: 200_000_000
    }))

  it("are the last ones of a namespace that has fewer", () =>
    assert.deepStrictEqual(accountRange("0 100000 65536\n"), { first: 61_440, count: 4_000 }))

  it("are none where there is but one user", () => assert.isUndefined(accountRange("0 1000 1\n")))
})
