import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { readHostSecrets } from "../../src/secrets/hostSecrets.ts"

const reading = (home: string) =>
  Effect.sync(() => {
    try {
      return readHostSecrets(home)
    } catch (error) {
      return String(error)
    }
  })

const keeping = (home: string, content: string, mode = 0o600) =>
  Effect.sync(() => {
    const file = join(home, "secrets.json")
    writeFileSync(file, content)
    chmodSync(file, mode)
  })

describe("The secrets of a runner's host", () => {
  it.live("are none without a file, and what it says whenever somebody asks", () =>
    Effect.gen(function* () {
      const home = yield* temporaryState("troupe-host-secrets-")
      assert.deepStrictEqual(yield* reading(home), {})
      yield* keeping(home, '{"GITHUB_TOKEN": "first"}')
      assert.deepStrictEqual(yield* reading(home), { GITHUB_TOKEN: "first" })
      yield* keeping(home, '{"GITHUB_TOKEN": "second"}')
      assert.deepStrictEqual(yield* reading(home), { GITHUB_TOKEN: "second" })
    }).pipe(Effect.scoped)
  )

  it.live("are not taken where others may read them or they are none, and not told then", () =>
    Effect.gen(function* () {
      const home = yield* temporaryState("troupe-host-secrets-")
      yield* keeping(home, '{"GITHUB_TOKEN": "very secret"}', 0o640)
      assert.match(String(yield* reading(home)), /chmod 600/)
      for (const content of [
        '{"GITHUB_TOKEN": "very secret}',
        '{"GITHUB_TOKEN": {"is": "very secret"}}',
        '["very secret"]'
      ]) {
        yield* keeping(home, content)
        assert.strictEqual(yield* reading(home), "Error: it holds no JSON object of texts")
      }
    }).pipe(Effect.scoped)
  )
})
