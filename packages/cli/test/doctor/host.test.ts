import { assert, describe, it } from "@effect/vitest"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { clock, disk, permissions } from "../../src/doctor/host.ts"

const folder = mkdtempSync(join(tmpdir(), "troupe-doctor-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const home = (name: string, mode = 0o700) => {
  const path = join(folder, name)
  mkdirSync(path)
  chmodSync(path, mode)
  return path
}

describe("The doctor, of this host,", () => {
  it("says that its clock is behind this release, or away from the node's", () => {
    const now = Date.now()
    assert.strictEqual(clock(now, null).state, "ok")
    assert.strictEqual(clock(now, now - 4_000).state, "ok")
    assert.deepInclude(clock(now, now - 61_000), {
      state: "bad",
      found: "the node's clock is 61 s away from this one"
    })
    const early = clock(Date.parse("2001-01-01T00:00:00Z"), null)
    assert.deepInclude(early, { state: "bad", found: "2001-01-01T00:00:00.000Z is before this release was installed" })
    assert.include(early.advice, "timedatectl set-ntp true")
  })

  it("says how much room is left, also for a home that is not made yet", () => {
    assert.match(disk(join(folder, "not/yet")).found, /^[\d.]+ [MG]iB are free for /)
  })

  it("says who may do too much in a home, and what ends that", () => {
    assert.strictEqual(permissions(home("own")).state, "ok")
    assert.deepInclude(permissions(join(folder, "later")), { state: "ok" })
    const shared = home("shared", 0o772)
    assert.deepInclude(permissions(shared), { state: "bad", advice: `chmod go-w ${shared}` })
    const file = join(folder, "file")
    writeFileSync(file, "")
    assert.deepInclude(permissions(file), { state: "bad", found: `${file} is a file` })
    const told = home("told")
    mkdirSync(join(told, "runner"))
    const files = [join(told, "api_key"), join(told, "runner/registration-token")]
    for (const file of files) writeFileSync(file, "secret", { mode: 0o644 })
    assert.deepInclude(permissions(told), {
      state: "bad",
      found: `others may read ${files.join(", ")}`,
      advice: `chmod 600 ${files.join(" ")}`
    })
  })
})
