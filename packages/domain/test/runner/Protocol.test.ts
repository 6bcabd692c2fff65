import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { negotiate, since, sinceOf, spoken, type Versions } from "../../src/runner/Protocol.ts"
import { RunnerRpc } from "../../src/runner/RunnerRpc.ts"

const agreed = (node: Versions, runner: Versions) => Result.merge(Result.mapError(negotiate(node, runner), String))
const only = (version: number): Versions => ({ min: version, max: version })

describe("the version of the runner protocol", () => {
  it("is the newest that both sides speak", () => {
    assert.strictEqual(agreed(spoken, spoken), spoken.max)
    assert.strictEqual(agreed(spoken, only(spoken.min)), spoken.min)
    assert.strictEqual(agreed(only(spoken.min), spoken), spoken.min)
    assert.strictEqual(agreed({ min: 3, max: 4 }, { min: 2, max: 3 }), 3)
  })

  it("is none where one side is too old, and says which", () => {
    assert.strictEqual(
      agreed(spoken, only(0)),
      "VersionRefused: the node speaks versions 1 to 2 of the protocol, the runner version 0: update the runner"
    )
    assert.strictEqual(
      agreed({ min: 1, max: 2 }, { min: 3, max: 4 }),
      "VersionRefused: the node speaks versions 1 to 2 of the protocol, the runner versions 3 to 4: update the node"
    )
  })

  it("of a release is its own and one back, and each call is of one of its own time", () => {
    assert.strictEqual(spoken.min, spoken.max - 1)
    for (const [call, version] of Object.entries(since)) {
      assert.isTrue(RunnerRpc.requests.has(call), call)
      assert.isAtMost(version, spoken.max)
    }
    assert.deepStrictEqual([sinceOf("Ping"), sinceOf("Places")], [1, 2])
  })
})
