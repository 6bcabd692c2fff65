import { assert, describe, it } from "@effect/vitest"
import { inputIds, refusedByLog } from "../../src/session/logRules.ts"
import { hash, inputId, message, messageThread, open, pause, send, sessionId, systemMessage } from "./make.ts"

const log = { version: 10, hasInput: (id: string) => id === inputId(1) }
const redact = (...seqs: ReadonlyArray<number>) =>
  ({ _tag: "RequestRedaction", seqs, reason: "", replacements: seqs.map(() => hash(1)) }) as const

describe("the log refuses", () => {
  it("an input that it has, whatever brings it", () => {
    const taken = { _tag: "IdTaken", id: inputId(1) } as const
    assert.deepStrictEqual(refusedByLog(send(message(2), systemMessage(1)), log), taken)
    assert.deepStrictEqual(refusedByLog(open({ inputs: [message(1)] }), log), taken)
    assert.deepStrictEqual(refusedByLog(messageThread(1, 1, 2), log), taken)
    assert.isUndefined(refusedByLog(send(message(2)), log))
    assert.deepStrictEqual(inputIds(pause), [])
  })

  it("what names a place beyond its end", () => {
    assert.deepStrictEqual(refusedByLog(redact(10, 11), log), { _tag: "UnknownSeq", seq: 11 })
    const fork = (seq: number) => ({ _tag: "NoteFork", childId: sessionId(2), seq }) as const
    assert.deepStrictEqual(refusedByLog(fork(11), log), { _tag: "UnknownSeq", seq: 11 })
    assert.isUndefined(refusedByLog(fork(10), log))
  })
})
