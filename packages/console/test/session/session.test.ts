import { assert, describe, it } from "vitest"
import { escape, escapeWithinMs, intent } from "../../src/session/composer.logic.ts"
import { attachedTo, picturesOf } from "../../src/session/attached.logic.ts"
import { languageOf, subjectOf, wordsOf } from "../../src/session/content.logic.ts"
import { choicesOf, choiceText, asTheAgent, extrasOf } from "../../src/session/choice.logic.ts"
import { copies } from "../../src/session/copies.logic.ts"
import { follow, isAtEnd } from "../../src/session/follow.logic.ts"
import { found, kindOf, subjectOfEvent } from "../../src/session/log.logic.ts"
import { answerOf, askedOf } from "../../src/session/question.logic.ts"
import { paint, shorten, shownMax } from "../../src/session/tools/ansi.logic.ts"
import { goldenLog } from "./goldenLog.ts"

describe("following", () => {
  it("stays at the end for whoever is there, and counts for whoever is not", () => {
    assert.deepStrictEqual(follow({ atEnd: true, unseen: 0 }, 3), { atEnd: true, unseen: 0, scrollToEnd: true })
    assert.deepStrictEqual(follow({ atEnd: false, unseen: 2 }, 3), { atEnd: false, unseen: 5, scrollToEnd: false })
    assert.strictEqual(follow({ atEnd: false, unseen: 2 }, -1).unseen, 2)
  })

  it("takes almost at the end for the end", () => {
    assert.isTrue(isAtEnd({ scrollTop: 460, clientHeight: 500, scrollHeight: 1_000 }))
    assert.isFalse(isAtEnd({ scrollTop: 300, clientHeight: 500, scrollHeight: 1_000 }))
  })
})

describe("the composer", () => {
  it("queues behind a turn that runs", () => {
    assert.strictEqual(intent({ hasTurn: true }), "Queue")
    assert.strictEqual(intent({ hasTurn: false }), "Send")
  })

  it("interrupts on the second Escape, if it comes soon", () => {
    const first = escape(null, 1_000)
    assert.isFalse(first.isSure)
    assert.isTrue(escape(first.asked, 1_000 + escapeWithinMs - 1).isSure)
    assert.isFalse(escape(first.asked, 1_000 + escapeWithinMs).isSure)
  })
})

describe("what a message asks of its turn", () => {
  it("is said only where it is not the agent's", () => {
    assert.deepStrictEqual(extrasOf(asTheAgent), {})
    assert.deepStrictEqual(extrasOf({ model: null, effort: "max" }), { troupe: { overrides: { effort: "max" } } })
  })

  it("is one of the models there are, or the one that was chosen and is gone", () => {
    assert.deepStrictEqual(choicesOf([{ id: "demo" }, { id: "demo" }], "old"), ["demo", "old"])
  })

  it("stands beside what waits", () => {
    assert.strictEqual(choiceText({ model: "demo", effort: "high" }), " · demo · high effort")
    assert.strictEqual(choiceText({}), "")
  })
})

describe("questions", () => {
  const choice = askedOf({ kind: "choice", text: "Which?", options: [{ label: "a" }, { label: 7 }], allowOther: false })

  it("show the options that can be read", () => {
    assert.deepStrictEqual(choice.options, [{ label: "a", description: null }])
    assert.strictEqual(askedOf(null).kind, "text")
    assert.strictEqual(askedOf({ kind: "riddle", text: "?" }).kind, "text")
  })

  it("have no answer until there is one that fits", () => {
    assert.isNull(answerOf(choice, [], "other"))
    assert.strictEqual(answerOf({ ...choice, allowOther: true }, [], " other "), "other")
    assert.deepStrictEqual(answerOf({ ...choice, kind: "multi_choice", allowOther: true }, ["a"], "b"), ["a", "b"])
    assert.isNull(answerOf({ ...choice, kind: "form" }, [], "[1]"))
    assert.deepStrictEqual(answerOf({ ...choice, kind: "form" }, [], '{"a":1}'), { a: 1 })
  })
})

describe("content", () => {
  it("is words; what lies elsewhere is its beginning; what is redacted says so", () => {
    const blob = { sha256: "0".repeat(64), bytes: 9_000, mediaType: "text/plain", preview: "begin" }
    assert.strictEqual(
      wordsOf([{ type: "text", text: "a" }, { type: "blob", blob }, { type: "redacted" }]),
      "a\nbegin\n… (9000 bytes in all)\n(redacted)"
    )
  })

  it("draws pictures that came along, and fetches none from elsewhere", () => {
    const own = { type: "image", source: { type: "base64", mediaType: "image/png", data: "AAAA" } } as const
    const script = { type: "image", source: { type: "base64", mediaType: "image/svg+xml", data: "AAAA" } } as const
    const away = { type: "image", source: { type: "url", url: "https://example.com/a.png" } } as const
    assert.deepStrictEqual(picturesOf([own, script, away]), ["data:image/png;base64,AAAA"])
    assert.deepStrictEqual(
      attachedTo([own, script, away]).map(({ name }) => name),
      ["A picture", "A picture"]
    )
  })

  it("draws pictures that were uploaded, and offers other files by name", () => {
    const file = (fileId: string, mediaType: string) =>
      ({ type: "file", fileId, content: { sha256: "0".repeat(64), bytes: 1, mediaType } }) as const
    const content = [
      { type: "image", source: file("file_1", "image/png") },
      { type: "document", source: file("file_2", "application/pdf"), title: "plan.pdf" },
      { type: "document", source: file("file_3", "text/csv; charset=utf-8") }
    ] as unknown as Parameters<typeof attachedTo>[0]
    assert.deepStrictEqual(picturesOf(content), ["/v1/files/file_1/content"])
    assert.deepStrictEqual(attachedTo(content), [
      { name: "plan.pdf", kind: "PDF", href: "/v1/files/file_2/content" },
      { name: "A document", kind: "csv", href: "/v1/files/file_3/content" }
    ])
  })

  it("is about one thing, in a line", () => {
    assert.strictEqual(subjectOf("bash", { command: "ls\n  -la" }), "ls -la")
    assert.strictEqual(subjectOf("deploy", { to: "prod" }), '{"to":"prod"}')
    assert.strictEqual(subjectOf("now", {}), "now")
    assert.deepStrictEqual(["a/b.ts", "Dockerfile", "x.unknown"].map(languageOf), ["typescript", "dockerfile", "text"])
  })
})

describe("output of tools", () => {
  it("keeps its colours, as names", () => {
    assert.deepStrictEqual(paint("\u001b[31mred\u001b[0m plain"), [
      { text: "red", className: "fg-ansi-red" },
      { text: " plain", className: "" }
    ])
  })

  it("is shown from both ends where it is long", () => {
    const long = shorten("x".repeat(shownMax * 2))
    assert.isBelow(long.length, shownMax + 100)
    assert.include(long, `${shownMax} characters left out`)
    assert.strictEqual(shorten("short"), "short")
  })
})

describe("the log", () => {
  const log = goldenLog()

  it("is found by type and content", () => {
    assert.strictEqual(found(log, ""), log)
    assert.isTrue(found(log, "turnstarted").every(({ type }) => type === "TurnStarted"))
    assert.lengthOf(found(log, "no such words anywhere"), 0)
  })

  it("says of each event what it is about", () => {
    for (const event of log) assert.isString(subjectOfEvent(event))
    assert.strictEqual(subjectOfEvent({ ...log[0]!, payload: null }), "(redacted)")
    assert.deepStrictEqual(["TurnFailed", "TurnStarted", "ToolStarted", "MessageTaken", "MessageBlock"].map(kindOf), [
      "bad",
      "turn",
      "tool",
      "person",
      "model"
    ])
  })
})

describe("a session elsewhere", () => {
  it("is reached by what is copied", () => {
    const all = copies("sesn_1", "http://127.0.0.1:4777")
    assert.isTrue(all.every(({ text }) => text.includes("sesn_1")))
    assert.isTrue(all.some(({ text }) => text.startsWith("curl -N ")))
  })
})
