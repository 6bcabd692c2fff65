import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readBundle, verifyBundle, writeBundle } from "../../src/replay/Bundle.ts"
import type { BundleUnreadable } from "../../src/replay/BundleLine.ts"
import { SessionEvent } from "../../src/session/SessionEvent.ts"
import { message, open, send, turnId } from "../session/make.ts"
import { bundled } from "../support/bundling.ts"
import { Recording, sha256 } from "../support/recording.ts"
import { richRefusals, richStory } from "../support/stories.ts"

const recording = new Recording().tell(...richStory).refuse(...richRefusals)
const lines = bundled(recording)

const read = (list: ReadonlyArray<string>) => Result.getOrThrow(readBundle(list))
const check = (list: ReadonlyArray<string>) => verifyBundle(read(list), sha256)

const failure = (list: ReadonlyArray<string>, options?: { readonly lineCharsMax: number }): BundleUnreadable => {
  const result = readBundle(list, options)
  if (Result.isSuccess(result)) throw new Error("it was read")
  assert.isNotEmpty(result.failure.message)
  return result.failure
}

const says = (list: ReadonlyArray<string>, tag: BundleUnreadable["reason"]["_tag"], line: number) => {
  const { line: at, reason } = failure(list)
  assert.deepStrictEqual([reason._tag, at], [tag, line])
}

/** The bundle with what this finds in its lines replaced. */
const edited = (find: string | RegExp, replace: string) => lines.map((line) => line.replace(find, replace))

describe("a bundle", () => {
  it("holds all that it was made from", () => {
    const { accepted, events, header, rejected } = read(lines)
    assert.deepStrictEqual(
      events.map(({ kind: _, ...row }: (typeof events)[number] & { kind?: string }) => row),
      recording.rows
    )
    assert.deepStrictEqual([accepted.length, rejected.length], [recording.commands.length, recording.rejections.length])
    assert.deepStrictEqual([header.version, header.chain], [recording.head.version, recording.head.chain])
  })

  it("is found whole by whoever reads it", () => {
    const report = check(lines)
    assert.isTrue(report.ok, JSON.stringify(report))
    assert.deepStrictEqual(report.checkpoints, { checked: 1, otherFold: 0, findings: [] })
  })

  it("is one line each, whatever is in it", () => {
    for (const line of lines) assert.notMatch(line, /[\n\r]/)
    assert.isTrue(check(lines.join("\n").split("\n")).ok)
    assert.isTrue(check(lines.join("\r\n").split("\n")).ok)
    assert.isTrue(check([...lines, ""]).ok)
  })

  it("is written while it is read", () => {
    let taken = 0
    const events = recording.rows.values().map((row) => {
      taken++
      return row
    })
    const { header } = read(lines)
    const written = writeBundle({ header, events, accepted: [], rejected: [] }, sha256)
    for (let n = 0; n < 5; n++) written.next()
    assert.strictEqual(taken, 4)
  })

  it.prop("carries any events", [Schema.Array(SessionEvent)], ([events]) => {
    const story = new Recording()
    for (const event of [...recording.events.slice(0, 1), ...events]) story.write(event)
    const report = verifyBundle(read(bundled(story)), sha256)
    assert.isTrue(report.ok, JSON.stringify(report))
  })
})

describe("a bundle that can't be read", () => {
  it("says that it is none", () => {
    says([], "NotABundle", 0)
    says([""], "NotABundle", 1)
    says(["PK\u0003\u0004"], "NotABundle", 1)
    says(["[]"], "NotABundle", 1)
    says(lines.slice(1), "NotABundle", 1)
  })

  it("says that its format is another", () => {
    assert.deepStrictEqual(failure(edited("troupe.bundle.1", "troupe.bundle.9")).reason, {
      _tag: "OtherFormat",
      format: "troupe.bundle.9"
    })
  })

  it("says where it was cut off", () => {
    says(lines.slice(0, -1), "Truncated", lines.length - 1)
    says(lines.slice(0, 5), "Truncated", 5)
    says([...lines.slice(0, 9), lines[9]!.slice(0, 40)], "Garbage", 10)
  })

  it("says when lines are missing in between", () =>
    says(
      lines.filter((_, index) => index !== 5),
      "Truncated",
      lines.length - 1
    ))

  it("names a line that is too long, before it looks at it", () => {
    const { line, reason } = failure(lines, { lineCharsMax: 900 })
    assert.strictEqual(reason._tag, "LineTooLong")
    assert.isAbove(lines[line - 1]!.length, 900)
  })

  it("names garbage", () => {
    const put = (text: string) => [...lines.slice(0, 4), text, ...lines.slice(4)]
    for (const text of ["{", "null", "7", "[]", "{}", `{"kind":7}`, `{"kind":"event"}`]) says(put(text), "Garbage", 5)
    says(put(lines[0]!), "OutOfPlace", 5)
    says([...lines, lines[3]!], "OutOfPlace", lines.length + 1)
  })

  it("passes by lines of a kind that came later", () => {
    const put = [...lines.slice(0, 4), `{"kind":"blob","bytes":"AA=="}`, ...lines.slice(4)]
    assert.isTrue(check(put).ok)
  })
})

describe("a bundle that was tampered with", () => {
  it("is found out wherever it was", () => {
    const changes: ReadonlyArray<readonly [string | RegExp, string]> = [
      ["Please tidy", "Please break"],
      [/"epoch":1/, `"epoch":0`],
      [/("kind":"header".*"chain":")./, "$1x"],
      [/("kind":"header".*"streamId":"sesn_.*)W"/, `$1X"`],
      [/("stateDigest":")....../, "$1000000"],
      [/("kind":"checkpoint".*"chain":")....../, "$1000000"],
      [/("kind":"command".*"digest":")....../, "$1000000"],
      [/("kind":"rejection".*_tag\\":\\")[A-Z]\w+/, "$1NotOpen"]
    ]
    for (const [find, replace] of changes) {
      const list = edited(find, replace)
      assert.notDeepEqual(list, lines, String(find))
      const result = readBundle(list)
      if (Result.isSuccess(result)) assert.isFalse(verifyBundle(result.success, sha256).ok, String(find))
    }
  })

  it("is found out when an event is replaced and all behind it made anew", () => {
    const forged = new Recording().tell(...richStory.slice(0, -1), { _tag: "Update", title: "Another day" })
    const list = bundled(forged).map((line, index) => (index === 0 ? lines[0]! : line))
    assert.isFalse(verifyBundle(read(list), sha256).chain.ok)
  })

  it("says what it can of a log from a newer release", () => {
    const newer = new Recording().tell(...richStory)
    const row = newer.rows[20]!
    const report = verifyBundle(
      read(bundled(newer).map((line) => line.replace(`"seq":21,"type":"${row.type}"`, `"seq":21,"type":"Teleported"`))),
      sha256
    )
    assert.deepStrictEqual([report.ok, report.decisions, report.unreadable?.seq], [false, null, 21])
    assert.strictEqual(report.chain.firstBad?.seq, 21)
  })
})

describe("a long bundle", () => {
  it("has a checkpoint every thousand events", () => {
    const long = new Recording().tell(open())
    for (let n = 1; n <= 700; n++) long.tell(send(message(n)))
    for (let n = 2; n <= 700; n++) long.tell({ _tag: "WithdrawTurn", turnId: turnId(n), queueVersion: null })
    const { checkpoints } = read(bundled(long))
    assert.deepStrictEqual(
      checkpoints.map(({ seq }) => seq),
      [1_000, 2_000, long.version]
    )
    assert.deepStrictEqual(check(bundled(long)).checkpoints, { checked: 3, otherFold: 0, findings: [] })
  })
})
