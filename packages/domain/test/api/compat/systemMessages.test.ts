import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { toCompat } from "../../../src/api/compat/toCompat.ts"
import { inputsOf } from "../../../src/api/compat/inputs.ts"
import { verifyDecisions } from "../../../src/replay/Decisions.ts"
import { inputId, message, nth, send, systemMessage, threadId } from "../../session/make.ts"
import { recorded, type Recording, sha256 } from "../../support/recording.ts"

const around = { primary: threadId(), agentName: "helper" }
const messages = new Set(["user.message", "system.message"])

const shownOf = ({ events, rows }: Recording) =>
  events
    .flatMap((event, index) => toCompat({ event, eventId: rows[index]!.eventId, recordedAt: 0 }, around))
    .flatMap(({ id, type }) => (messages.has(type) ? [[type, id]] : []))

const verified = ({ commands, rejections, rows }: Recording) =>
  Result.getOrThrow(verifyDecisions(rows, { accepted: commands, rejected: rejections }, { sha256 }))

describe("a system message", () => {
  it("is shown behind the message that it came with", () => {
    const log = recorded(send(message(1), systemMessage(2, 1)))
    assert.deepStrictEqual(shownOf(log), [
      ["user.message", inputId(1)],
      ["system.message", inputId(2)]
    ])
    assert.isTrue(verified(log).ok)
  })

  it("of a log of before stays where it was, and its command is decided as it was", () => {
    const log = recorded(send(message(1), systemMessage(2)))
    assert.deepStrictEqual(shownOf(log), [
      ["system.message", inputId(2)],
      ["user.message", inputId(1)]
    ])
    assert.isTrue(verified(log).ok)
  })

  it("that is sent says which input it came with", () => {
    let n = 0
    const text = [{ type: "text", text: "a" }]
    const events = [
      { type: "user.interrupt" },
      { type: "user.message", content: text },
      { type: "system.message", content: text }
    ]
    const reading = { mint: (kind: Parameters<typeof nth>[0]) => nth(kind, ++n), awaits: () => undefined }
    const [, said, system] = Result.getOrThrow(inputsOf(events, reading))
    assert.deepInclude(system, { _tag: "SystemMessage", follows: said!.inputId })
  })
})
