import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { readManagersFile } from "../../src/environment/managersFile.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

const reading = Effect.fnUntraced(function* (content: unknown) {
  const file = join(yield* temporaryState("troupe-managers-"), "packages.json")
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 })
  return yield* Effect.sync(() => {
    try {
      return readManagersFile(file)
    } catch (error) {
      return String(error)
    }
  })
})

describe("the file about package managers", () => {
  it.live("says what a manager is told", () =>
    Effect.gen(function* () {
      const apt = { files: [{ source: "/etc/troupe/apt", target: "/etc/apt" }], hosts: ["mirror.test"] }
      const npm = { variables: { npm_config_registry: "https://mirror.test/" } }
      assert.deepStrictEqual(yield* reading({ apt, npm }), { apt, npm })
      assert.deepStrictEqual(yield* reading({}), {})
    }).pipe(Effect.scoped)
  )

  it.live("is refused where it can't be meant, without what may be a token in it", () =>
    Effect.gen(function* () {
      assert.match(String(yield* reading({ yarn: {} })), /yarn/)
      assert.match(String(yield* reading({ npm: { mirror: "x" } })), /mirror/)
      assert.match(String(yield* reading({ apt: { files: [{ source: "relative", target: "/etc/apt" }] } })), /source/)
      assert.strictEqual(yield* reading('{"npm": {"variables": {"TOKEN": "very secret}}'), "Error: it is no JSON")
    }).pipe(Effect.scoped)
  )
})
