import type { Delivery } from "@troupe/domain/runner/Attempt"
import type { Message, OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { held } from "@troupe/domain/session/standing"
import { Effect, Latch } from "effect"

export interface Deliveries {
  /** What the state says the runner is owed. */
  readonly want: (session: OpenSession, thread: Thread, turn: Turn) => void
  /** A new link: what was carried over the one before is carried again. */
  readonly again: () => void
  readonly run: Effect.Effect<never>
}

const againMs = 200

const steer = ({ systemMessages }: Thread, message: Message): Delivery => {
  const behind = systemMessages.filter(({ follows }) => follows === message.inputId)
  return { _tag: "Steer", message, ...(behind.length === 0 ? {} : { behind }) }
}

/** Carries interrupts, stops, steers, grants and answers to an attempt's runner: once over each link, until the log shows that they took. */
export const make = (deliver: (delivery: Delivery) => Effect.Effect<void, unknown>): Deliveries => {
  const changed = Latch.makeUnsafe(false)
  const carried = new Set<string>()
  let wanted: ReadonlyMap<string, Delivery> = new Map()

  const want: Deliveries["want"] = (session, thread, turn) => {
    const next = new Map<string, Delivery>()
    if (turn.interrupt !== null) next.set("interrupt", { _tag: "Interrupt" })
    const reason = held(session, thread)
    if (reason !== null) next.set(`stop:${reason}`, { _tag: "Stop", reason })
    const { grants } = session
    if (grants.length > 0) next.set(`grants:${grants.length}`, { _tag: "Grants", grants })
    for (const message of turn.steers) next.set(`steer:${message.inputId}`, steer(thread, message))
    for (const { answer, callId } of turn.answers ?? [])
      next.set(`answer:${callId}`, { _tag: "Answer", callId, answer })
    wanted = next
    // What was wanted before and is wanted again later is news then.
    for (const key of carried) if (!next.has(key)) carried.delete(key)
    if (next.size > 0) changed.openUnsafe()
  }

  const again = () => {
    carried.clear()
    changed.openUnsafe()
  }

  const pass = Effect.gen(function* () {
    for (const [key, delivery] of wanted) {
      if (carried.has(key)) continue
      carried.add(key)
      const result = yield* Effect.result(deliver(delivery))
      if (result._tag === "Success") continue
      carried.delete(key)
      changed.openUnsafe()
      yield* Effect.sleep(againMs)
    }
  })

  const run = Effect.gen(function* () {
    while (true) {
      yield* changed.await
      changed.closeUnsafe()
      yield* pass
    }
  })

  return { want, again, run }
}
