import { assert, describe, it } from "@effect/vitest"
import { stateAt } from "../../src/replay/Fold.ts"
import { verifyProjection } from "../../src/replay/Projection.ts"
import { foldVersion, type OpenSession } from "../../src/session/SessionState.ts"
import { summarize } from "../../src/session/Summary.ts"
import { Recording } from "../support/recording.ts"
import { richStory } from "../support/stories.ts"

const { events, state } = new Recording().tell(...richStory)
const summary = summarize(state as OpenSession, 5)
const snapshotAt = (version: number, change: (text: string) => string = (text) => text) => ({
  version,
  foldVersion,
  state: change(JSON.stringify(stateAt(events, version)))
})

const found = (...stored: Parameters<typeof verifyProjection> extends [unknown, infer Stored] ? [Stored] : never) =>
  verifyProjection(events, stored[0]).findings.map((finding) => finding._tag)

describe("verifyProjection", () => {
  it("finds nothing where both say what the log says", () => {
    for (const version of [0, 1, 40, events.length]) {
      const report = verifyProjection(events, { snapshot: snapshotAt(version), summary })
      assert.deepStrictEqual(report, { ok: true, findings: [] })
    }
    assert.deepStrictEqual(found({}), [])
    assert.deepStrictEqual(found({ snapshot: null }), [])
  })

  it("says what a wrong snapshot should have said", () => {
    const wrong = snapshotAt(40, (text) => text.replace(`"turns":2`, `"turns":7`))
    assert.deepStrictEqual(verifyProjection(events, { snapshot: wrong }).findings, [
      { _tag: "SnapshotDiffers", version: 40, patch: [{ op: "replace", path: "/turns", value: 2 }] }
    ])
  })

  it("names a snapshot that can't be one", () => {
    assert.deepStrictEqual(found({ snapshot: snapshotAt(40, () => "{") }), ["SnapshotUnreadable"])
    assert.deepStrictEqual(found({ snapshot: snapshotAt(40, () => "[]") }), ["SnapshotUnreadable"])
    assert.deepStrictEqual(found({ snapshot: { ...snapshotAt(1), version: events.length + 1 } }), ["SnapshotAhead"])
    assert.deepStrictEqual(found({ snapshot: { ...snapshotAt(1, () => "{"), foldVersion: -1 } }), [])
  })

  it("names the fields of the list row that are wrong", () => {
    assert.deepStrictEqual(verifyProjection(events, { summary: { ...summary, turns: 9, labels: [] } }).findings, [
      { _tag: "SummaryDiffers", fields: ["labels", "turns"] }
    ])
    assert.deepStrictEqual(found({ summary: { ...summary, updatedAt: 6 } }), [])
    assert.deepStrictEqual(found({ summary: null }), ["SummaryMissing"])
  })

  it("expects no row of a session that never opened", () => {
    assert.deepStrictEqual(verifyProjection([], { summary: null }).findings, [])
    assert.deepStrictEqual(verifyProjection([], { summary }).findings, [{ _tag: "SummaryUnfounded" }])
  })
})
