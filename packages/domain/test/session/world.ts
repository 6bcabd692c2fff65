import { Result } from "effect"
import { plan } from "../../src/session/decide.ts"
import type { Frame, FrameBody } from "../../src/session/Frame.ts"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import type { SessionEvent } from "../../src/session/SessionEvent.ts"
import { initial, type SessionState, type Thread, type Turn } from "../../src/session/SessionState.ts"
import { held } from "../../src/session/standing.ts"
import { Auditor } from "./auditor.ts"
import type { Coverage } from "./coverage.ts"
import { attemptId, command, frames, lose, start } from "./make.ts"
import type { Prng } from "../../../../test/support/Prng.ts"
import type { Script } from "./script.ts"

/** An attempt as its runner knows it: what it plays, and what it has said so far. */
export interface Played {
  readonly id: number
  readonly script: Script
  readonly said: Array<Frame>
  position: number
}

/** One session, its clients, its node and its runners, in virtual time. */
export class World {
  state: SessionState = initial
  readonly log: Array<SessionEvent> = []
  readonly told: Array<SessionCommand> = []
  readonly auditor = new Auditor()
  readonly coverage: Coverage
  readonly played = new Map<string, Played>()
  now = 1_000_000
  private commands = 0

  constructor(coverage: Coverage) {
    this.coverage = coverage
  }

  get threads(): ReadonlyArray<Thread> {
    return this.state._tag === "Open" ? this.state.threads : []
  }

  /** Gives the session a command; what comes of it is checked at once. */
  tell(body: SessionCommand): string | null {
    this.now += 1
    this.commands += 1
    this.told.push(body)
    const before = this.state
    this.coverage.meets(before, body)
    const decided = plan(before, command(this.commands, this.now, body))
    if (Result.isFailure(decided)) {
      this.coverage.refuses(decided.failure.reason)
      return decided.failure.reason._tag
    }
    const { events, state } = decided.success
    this.log.push(...events)
    this.state = state
    this.coverage.records(events)
    this.auditor.step(before, events, state)
    if (body._tag === "Wake" && state._tag === "Open") this.auditor.woken(state, this.now)
    return null
  }

  /** Attempts that the session counts on, among those that were played. */
  working(): ReadonlyArray<Played> {
    return this.threads.flatMap(({ turn }) => {
      const found = turn?.phase._tag === "Working" ? this.played.get(turn.phase.attemptId) : undefined
      return found === undefined ? [] : [found]
    })
  }

  place(random: Prng, script: (calls: Turn["calls"]) => Script): void {
    for (const { threadId, turn } of this.threads) {
      if (turn?.phase._tag !== "Placing") continue
      const id = this.played.size + 1
      const refused = this.tell({ ...start(0, id), threadId, turnId: turn.turnId })
      if (refused !== null) continue
      this.played.set(attemptId(id), { id, script: script(turn.calls), said: [], position: 0 })
      if (random.chance(0.05)) this.tell({ ...start(0, id), threadId, turnId: turn.turnId })
    }
  }

  run(attempt: Played, count: number): void {
    for (let left = count; left > 0; left--) {
      const found = this.threads.find(
        ({ turn }) => turn?.phase._tag === "Working" && turn.phase.attemptId === attemptId(attempt.id)
      )
      const next = attempt.script.steps[attempt.position]
      if (found === undefined || next === undefined || this.state._tag !== "Open") return
      this.now += next.waitMs
      const turn = found.turn!
      if (turn.interrupt !== null && attempt.script.interrupt === "honoured")
        return this.say(attempt, [{ _tag: "Interrupted" }])
      const asks = next.body._tag === "ModelRequestStarted"
      const hold = held(this.state, found)
      if (asks && hold !== null && attempt.script.hold === "honoured") {
        return this.say(attempt, [{ _tag: "Suspended", reason: hold }])
      }
      const steers = asks ? turn.steers.map(({ inputId }): FrameBody => ({ _tag: "SteerTaken", inputId })) : []
      attempt.position += 1
      this.say(attempt, [...steers, next.body])
    }
  }

  say(attempt: Played, bodies: ReadonlyArray<FrameBody>): void {
    const from = attempt.said.length
    attempt.said.push(...bodies.map((body, index) => ({ n: from + index + 1, at: this.now, body })))
    this.deliver(attempt, from)
  }

  /** A node gives up an attempt whose frames make no sense. */
  deliver(attempt: Played, from: number): void {
    const refused = this.tell({ ...frames(attempt.id, 1), frames: attempt.said.slice(from) })
    if (refused === "ProtocolViolation") this.tell(lose(attempt.id))
  }
}
