import type { LogEvent, SessionHandle } from "@troupe/client"
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { followHindrances } from "../../src/session/hindrances.ts"
import { ourName } from "../../src/app/NameConfig.ts"

const waiting = { type: "TurnWaiting", payload: { reason: "no runner is connected: laptop is away" } }
const begins = { type: "AttemptStarted", payload: {} }
const again = {
  type: "TurnRescheduled",
  payload: { error: { code: "model_timeout", message: "it did not answer" }, at: 1_000, notBefore: 5_000 }
}

describe("What is in the way of a session's work", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** What was told when these events came one after the other, with so long between them. */
  const told = async (events: ReadonlyArray<object>, pauseMs: number) => {
    const all: Array<string | null> = []
    const followLog = async function* () {
      for (const event of events) {
        yield event as LogEvent
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
    using _ = followHindrances({ followLog } as unknown as SessionHandle, (hindrance) => all.push(hindrance))
    await vi.advanceTimersByTimeAsync(60_000)
    return all
  }

  it("is told with its reason and what to do, and when it is over", async () => {
    const [first, second] = await told([waiting, begins], 5_000)
    assert.include(first, `It waits: no runner is connected: laptop is away.\n${ourName} runners list`)
    assert.isNull(second)
    assert.deepStrictEqual(await told([again], 5_000), ["it did not answer.\nIt is tried again by itself in 4 s."])
  })

  it("is not told where it passes at once, as what was long ago does while a log is read", async () => {
    assert.deepStrictEqual(await told([waiting, begins, waiting, begins], 10), [])
  })

  it("is told once, however often the log says it", async () => {
    assert.lengthOf(await told([waiting, waiting, waiting], 5_000), 1)
  })
})
