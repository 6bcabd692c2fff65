import { Result } from "effect"
import { plan } from "../../src/session/decide.ts"
import type { Frame, FrameBody } from "../../src/session/Frame.ts"
import type { SessionCommand } from "../../src/session/SessionCommand.ts"
import type { SessionEvent } from "../../src/session/SessionEvent.ts"
import { initial, type SessionState, type Thread, type Turn } from "../../src/session/SessionState.ts"
import { held } from "../../src/session/standing.ts"
import { Auditor } from "./auditor.ts"
import { Coverage } from "./coverage.ts"
import { generateCommand } from "./generate.ts"
import { attemptId, command, frames, lose, message, send, start, started, wake } from "./make.ts"
import { prng, type Prng } from "./prng.ts"
import { generateScript, type Script, shortScript } from "./script.ts"

/** One thing that happens in a story. Its own seed keeps it the same when others are dropped. */
export interface Step {
  readonly kind: Kind
  readonly seed: number
}

const kinds = {
  client: 22,
  place: 20,
  run: 40,
  repeat: 2,
  tear: 1,
  babble: 0.5,
  late: 1.5,
  lose: 2.5,
  wake: 4,
  wait: 4,
  redact: 1,
  note: 0.5,
  waiting: 1,
  flood: 0.01
} as const
type Kind = keyof typeof kinds

export const storyOf = (seed: number, length: number): ReadonlyArray<Step> => {
  const random = prng(seed)
  return Array.from({ length }, () => ({ kind: random.weighted(kinds), seed: random.int(2 ** 31) }))
}

/** An attempt as its runner knows it: what it plays, and what it has said so far. */
interface Played {
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
  private readonly played = new Map<string, Played>()
  private now = 1_000_000
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
    return null
  }

  take({ kind, seed }: Step): void {
    const random = prng(seed)
    const attempts = this.working()
    const some = attempts.length > 0 ? random.pick(attempts) : undefined
    switch (kind) {
      case "client":
        this.tell(generateCommand(random, this.state))
        return
      case "place":
        return this.place(random, (calls) => generateScript(random, calls))
      case "run":
        return some === undefined ? undefined : this.run(some, 1 + random.int(4))
      case "repeat":
        if (some !== undefined && some.said.length > 0) this.deliver(some, random.int(some.said.length))
        return
      case "tear":
        if (some !== undefined) this.tell(frames(some.id, some.said.length + 2, started(0)))
        return
      case "babble":
        if (some !== undefined) this.say(some, [started(0)])
        return
      case "late": {
        const all = [...this.played.values()]
        if (all.length === 0) return
        const one = random.pick(all)
        if (!attempts.includes(one))
          this.tell(frames(one.id, random.int(one.said.length + 2) + 1, started(0), started(1)))
        return
      }
      case "lose": {
        const ids = this.threads.flatMap(({ ended, turn }) =>
          turn?.phase._tag === "Working" ? [turn.phase.attemptId] : ended === null ? [] : [ended.attemptId]
        )
        if (ids.length > 0) this.tell({ ...lose(0), attemptId: random.pick(ids) })
        return
      }
      case "wake":
        this.tell(wake)
        return
      case "wait":
        this.now += random.pick([10, 500, 2_000, 12_000])
        return
      case "redact": {
        const owed = this.state._tag === "Open" ? this.state.redactions : []
        this.tell({ _tag: "ConfirmRedaction", seqs: owed.filter(() => random.chance(0.7)) })
        return
      }
      case "note":
        this.tell({ _tag: "Note", event: { _tag: "PlatformNoted", code: "c", message: "m", details: {} } })
        return
      case "waiting": {
        const { threadId, turn } = this.threads.find((thread) => thread.turn !== null) ?? {}
        if (threadId === undefined || !turn) return
        this.tell({ _tag: "NoteWaiting", threadId, turnId: turn.turnId, reason: random.pick(["busy", "none"]) })
        return
      }
      case "flood":
        for (let page = 0; page <= 20; page++) {
          const first = 2_000_000 + random.int(1_000_000) * 64
          this.tell(send(...Array.from({ length: 50 }, (_, index) => message(first + index))))
        }
        return
    }
  }

  /** Attempts that the session counts on, among those that were played. */
  private working(): ReadonlyArray<Played> {
    return this.threads.flatMap(({ turn }) => {
      const found = turn?.phase._tag === "Working" ? this.played.get(turn.phase.attemptId) : undefined
      return found === undefined ? [] : [found]
    })
  }

  private place(random: Prng, script: (calls: Turn["calls"]) => Script): void {
    for (const { threadId, turn } of this.threads) {
      if (turn?.phase._tag !== "Placing") continue
      const id = this.played.size + 1
      const refused = this.tell({ ...start(0, id), threadId, turnId: turn.turnId })
      if (refused !== null) continue
      this.played.set(attemptId(id), { id, script: script(turn.calls), said: [], position: 0 })
      if (random.chance(0.05)) this.tell({ ...start(0, id), threadId, turnId: turn.turnId })
    }
  }

  private run(attempt: Played, count: number): void {
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

  private say(attempt: Played, bodies: ReadonlyArray<FrameBody>): void {
    const from = attempt.said.length
    attempt.said.push(...bodies.map((body, index) => ({ n: from + index + 1, at: this.now, body })))
    this.deliver(attempt, from)
  }

  /** A node gives up an attempt whose frames make no sense. */
  private deliver(attempt: Played, from: number): void {
    const refused = this.tell({ ...frames(attempt.id, 1), frames: attempt.said.slice(from) })
    if (refused === "ProtocolViolation") this.tell(lose(attempt.id))
  }

  /** No more trouble: everything that waits is answered, and everything must come to rest. */
  drain(): void {
    const random = prng(1)
    for (let round = 0; round < 3_000 && this.state._tag === "Open" && this.state.ended === null; round++) {
      const { budget, paused, threads } = this.state
      const calls = threads.flatMap(({ turn }) => turn?.calls.filter((call) => call.awaits !== "nothing") ?? [])
      const first = threads.flatMap(({ queue, turn }) => (turn === null && queue[0] !== undefined ? [queue[0]] : []))
      const surplus = threads.flatMap(({ queue }) => queue.slice(5))
      const asking = threads.flatMap(({ turn }) => (turn?.phase._tag === "Deciding" ? [turn.turnId] : []))
      if (paused || budget.length > 0) this.tell({ _tag: "Resume" })
      if (budget.length > 0) this.tell({ _tag: "ChangeBudget", budget: [] })
      for (const { turnId } of surplus) this.tell({ _tag: "WithdrawTurn", turnId, queueVersion: null })
      for (const { needsApproval, turnId } of first) {
        if (needsApproval) this.tell({ _tag: "ApproveTurn", turnId, queueVersion: null })
      }
      for (const call of calls) {
        const inputId = call.callId
        const given = { callId: call.callId, inputId }
        if (call.awaits === "confirmation")
          this.tell(send({ _tag: "Confirmation", ...given, decision: { type: "allow_once" } }))
        else if (call.awaits === "answer") this.tell(send({ _tag: "Answer", ...given, answer: "yes" }))
        else {
          const executor = call.executor === "worker" ? "worker" : "client"
          this.tell(send({ _tag: "ToolResult", ...given, content: [], isError: false, executor }))
        }
      }
      for (const turnId of asking) this.tell({ _tag: "RetryTurn", turnId })
      this.place(random, (open) => shortScript(random, open))
      const working = this.working()
      for (const attempt of working) this.run(attempt, 100)
      for (const attempt of this.working()) if (working.includes(attempt)) this.tell(lose(attempt.id))
      this.now += 30_000
      this.tell(wake)
      if (threads.every(({ queue, turn }) => turn === null && queue.length === 0)) break
    }
    if (this.state._tag === "Open" && this.state.redactions.length > 0) {
      this.tell({ _tag: "ConfirmRedaction", seqs: this.state.redactions })
    }
    if (this.state._tag === "Open") this.auditor.end(this.state)
  }
}

/** Plays a story, and to its end unless it shall stop in the middle. */
export const play = (story: ReadonlyArray<Step>, coverage = new Coverage(), toTheEnd = true): World => {
  const world = new World(coverage)
  for (const step of story) world.take(step)
  if (toTheEnd) world.drain()
  return world
}
