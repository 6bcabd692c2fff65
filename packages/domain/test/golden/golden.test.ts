import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { readBundle, stateDigest, verifyBundle } from "../../src/replay/Bundle.ts"
import { decodeAll } from "../../src/replay/Fold.ts"
import { fold } from "../../src/session/evolve.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import { foldVersion } from "../../src/session/SessionState.ts"
import { sha256 } from "../support/recording.ts"

const text = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8")
const releases = readdirSync(new URL(".", import.meta.url)).flatMap((name) => /^(v.+)\.jsonl$/.exec(name)?.[1] ?? [])

describe("the golden logs", () => {
  it("are there", () => assert.include(releases, "v0.1.0"))

  for (const release of releases) {
    const bundle = Result.getOrThrow(readBundle(text(`${release}.jsonl`).split("\n")))

    it(`of ${release} is as it was written`, () => {
      const { chain, checkpoints } = verifyBundle(bundle, sha256)
      assert.isTrue(chain.ok, JSON.stringify(chain.findings))
      assert.deepStrictEqual(checkpoints.findings, [])
    })

    it(`of ${release} folds to what it always did`, () => {
      const expected = JSON.parse(text(`${release}.expected.json`))
      // A new fold version is the moment to look at the difference and write down what it leads to now.
      assert.strictEqual(foldVersion, expected.foldVersion)
      const state = fold(Result.getOrThrow(decodeAll(bundle.events)))
      assert.strictEqual(stateDigest(sha256, state), expected.stateDigest)
    })
  }

  it("of this release holds every type of event", () => {
    const bundle = Result.getOrThrow(readBundle(text("v0.1.0.jsonl").split("\n")))
    const told = new Set(bundle.events.map((event) => event.type))
    assert.deepStrictEqual(
      Object.keys(SessionEvent.cases).filter((tag) => !told.has(tag)),
      []
    )
    assert.isTrue(verifyBundle(bundle, sha256).ok)
  })
})
