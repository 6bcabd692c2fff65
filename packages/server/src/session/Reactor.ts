import { system } from "@troupe/domain/Actor"
import type { AttemptId, CommandId, SessionId, TurnId } from "@troupe/domain/Ids"
import { Limits } from "@troupe/domain/Limits"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import { leftOn } from "@troupe/domain/session/rest"
import type { OpenSession, Thread, Turn } from "@troupe/domain/session/SessionState"
import { Clock, Effect, type Scope } from "effect"
import { Minting } from "../log/Minting.ts"
import type { Activation } from "./activate.ts"
import { Alarm, type Sleeper } from "./Alarm.ts"
import { AttemptDriver } from "./AttemptDriver.ts"
import * as AttemptFollower from "./AttemptFollower.ts"
import { type CrashPoint, CrashPoints } from "./CrashPoints.ts"
import { Doings } from "./Doings.ts"
import { Feeds } from "./Feeds.ts"
import type { Accepted, Plan } from "./planBatch.ts"
import { Placer, wantedAt, type Placing } from "./Placer.ts"
import { RedactionApplier } from "./RedactionApplier.ts"
import type { SessionError } from "./SessionErrors.ts"

export interface ReactorOptions {
  readonly sessionId: SessionId
  readonly handle: (command: Command) => Effect.Effect<Accepted, SessionError>
  /** By whose request a turn goes on, as W3C writes a span; null where that is not known. */
  readonly traceparentOf?: (turnId: TurnId) => string | null
  /** A runner has seen a newer owner of the session. */
  readonly overtaken: () => void
  /** Told whether something is live or due soon, so that the session is not put away. */
  readonly keep: (keep: boolean) => void
  /** How long a runner may be silent before its attempt counts as lost. */
  readonly lostAfterMs: number
}

/** What reactors of a node have in common. */
interface Services {
  readonly driver: AttemptDriver["Service"]
  readonly minting: Minting["Service"]
  readonly feeds: Feeds["Service"]
  readonly redactions: RedactionApplier["Service"]
  readonly clock: Clock.Clock
  readonly reach: (point: CrashPoint) => void
}

/** How long what could not be done waits for another try. */
const againMs = 1_000
/** A session whose next timer is due within this is kept in memory. */
const keepMs = 60_000

const noTurns: ReadonlyMap<AttemptId, Turn> = new Map()

const workingOf = (session: OpenSession): ReadonlyMap<AttemptId, Turn> => {
  const working = session.threads.flatMap((thread) =>
    thread.turn?.phase._tag === "Working" ? [[thread.turn.phase.attemptId, thread.turn] as const] : []
  )
  return working.length === 0 ? noTurns : new Map(working)
}

/**
 * Level-triggered: it has no memory of what was asked of it, only of what it is doing. Called after every commit and
 * activation, it makes the same of the same state however often and however late.
 */
export class Reactor implements Sleeper, Placing {
  private latest: Activation | null = null
  /** Whether the runner was told that the session is no more. Once is enough: what it did not hear it is told when it is greeted. */
  private told = false
  private placing: Placer | null = null
  private followers: Map<AttemptId, AttemptFollower.AttemptFollower> | null = null
  private readonly alarm = new Alarm(this)
  private readonly options: ReactorOptions
  private readonly services: Services
  private readonly doings: Doings

  constructor(options: ReactorOptions, services: Services, doings: Doings) {
    this.options = options
    this.services = services
    this.doings = doings
  }

  get sessionId() {
    return this.options.sessionId
  }

  get driver() {
    return this.services.driver
  }

  get minting() {
    return this.services.minting
  }

  get clock() {
    return this.services.clock
  }

  get reach() {
    return this.services.reach
  }

  /** What is committed now: compares what should be going on with what is, and acts on the difference. */
  reconcile(activation: Activation): void {
    this.latest = activation
    const session = activation.state
    if (session._tag !== "Open") return this.options.keep(false)
    const working = workingOf(session)
    this.endFollowers(working)
    const placing = this.goOn(activation, session)
    const redacting = session.redactions.length > 0
    if (redacting && !this.doings.has("redactions")) this.run("redactions", this.redact())
    const runnerId = leftOn(session)
    if (runnerId !== null && !this.told) this.takeAway(runnerId, activation, session)
    const now = this.now()
    const wanted = session.threads.flatMap((thread) => wantedAt(session, thread) ?? []).filter((at) => at > now)
    this.alarm.set(session, wanted)
    const soon = this.alarm.at !== null && this.alarm.at - now <= keepMs
    this.options.keep(working.size > 0 || placing || redacting || soon || this.doings.has("place"))
  }

  /** Commands that are to be in the log along with what makes them due: nothing has to be asked or waited for between. */
  startAtOnce({ state }: Plan["standing"], from: Activation, facts: Plan["facts"]): ReadonlyArray<Command> {
    if (state._tag !== "Open" || this.driver.placeAtOnce === undefined) return []
    return this.placer.startAtOnce(state, from.version, facts).map((body) => this.command(body))
  }

  /** The session is somebody else's now: everything stops where it is, and nothing is told to anyone. */
  stop(): void {
    this.latest = null
    this.alarm.stop()
    this.followers?.clear()
    this.placing?.stop()
    this.options.keep(false)
    this.doings.stop()
  }

  versionNow(): number {
    return this.latest?.version ?? 0
  }

  sessionNow(): OpenSession | undefined {
    return this.latest?.state._tag === "Open" ? this.latest.state : undefined
  }

  send(body: SessionCommand): Effect.Effect<Accepted, SessionError> {
    return Effect.suspend(() => this.options.handle(this.command(body)))
  }

  run(name: string, effect: Effect.Effect<void>): void {
    this.doings.run(name, effect)
  }

  wake(): Effect.Effect<void> {
    return Effect.ignore(this.send({ _tag: "Wake" }))
  }

  rang(): void {
    if (this.latest !== null) this.reconcile(this.latest)
  }

  private get placer(): Placer {
    return (this.placing ??= new Placer(this))
  }

  private now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  private command(body: SessionCommand): Command {
    const at = this.now()
    const commandId = this.minting.id("Command", at) as CommandId
    return { commandId, at, actor: system, correlationId: this.minting.salt(), body }
  }

  private endFollowers(working: ReadonlyMap<AttemptId, Turn>): void {
    if (this.followers === null) return
    for (const [attemptId, follower] of this.followers) {
      if (working.has(attemptId)) continue
      this.followers.delete(attemptId)
      follower.end()
    }
  }

  /** Follows what runs, and finds places for what is to run; says whether anything wants a place. */
  private goOn(activation: Activation, session: OpenSession): boolean {
    let placing = false
    for (const thread of session.threads) {
      if (thread.turn === null) continue
      this.follow(activation, session, thread, thread.turn)
      const { threadId } = thread
      if (!this.placer.isWanting(threadId)) continue
      placing = true
      if (!this.doings.has(threadId)) this.run(threadId, this.placer.place(threadId))
    }
    return placing
  }

  private follow(activation: Activation, session: OpenSession, thread: Thread, turn: Turn): void {
    const { phase } = turn
    if (phase._tag !== "Working") return
    const { attemptId } = phase
    const followers = (this.followers ??= new Map())
    const known = followers.get(attemptId)
    if (known !== undefined) {
      known.update(activation, session, thread, turn)
      return
    }
    const { clock, driver, reach, sessionId } = this
    const { lostAfterMs, overtaken, traceparentOf } = this.options
    const { feeds } = this.services
    const { threadId } = thread
    const follower = AttemptFollower.make({
      sessionId,
      attemptId,
      threadId,
      turnId: turn.turnId,
      runnerId: phase.runnerId,
      fresh: this.placer.isFresh(attemptId),
      lostAfterMs,
      traceparent: () => traceparentOf?.(turn.turnId) ?? null,
      driver,
      clock,
      reach,
      send: (body) => this.send(body),
      overtaken,
      delta: ({ blockId, kind, offset, text }) => {
        const after = this.latest?.version ?? 0
        const of = kind === undefined ? {} : { kind }
        feeds.publish(sessionId, { _tag: "Delta", blockId, offset, text, threadId, after, ...of })
      }
    })
    followers.set(attemptId, follower)
    follower.update(activation, session, thread, turn)
    this.run(
      attemptId,
      follower.run.pipe(
        Effect.catchCause((cause) => Effect.logError("Following an attempt broke", cause)),
        Effect.andThen(this.followAgain(attemptId, follower))
      )
    )
  }

  /** A follower whose attempt goes on in the log has to be followed by another. */
  private followAgain(attemptId: AttemptId, follower: AttemptFollower.AttemptFollower): Effect.Effect<void> {
    const isThere = () => this.followers?.get(attemptId) === follower
    return Effect.gen({ self: this }, function* () {
      if (!isThere()) return
      yield* Effect.sleep(againMs)
      if (!isThere()) return
      this.followers?.delete(attemptId)
      this.rang()
    })
  }

  /** Takes content out for as long as there is some to be taken. */
  private redact(): Effect.Effect<void> {
    const due = () => this.sessionNow()?.redactions ?? []
    return Effect.gen({ self: this }, function* () {
      for (let seqs = due(); seqs.length > 0; seqs = due()) {
        yield* this.services.redactions.apply(this.sessionId, seqs, (body) => this.send(body))
        if (due().includes(seqs[0]!)) yield* Effect.sleep(againMs)
      }
    })
  }

  private takeAway(runnerId: string, { epoch }: Activation, { workspaceId }: OpenSession): void {
    this.told = true
    const taken = this.driver.takeAway({ sessionId: this.sessionId, workspaceId, runnerId, epoch })
    this.run(
      "place",
      Effect.andThen(
        taken,
        Effect.sync(() => this.rang())
      )
    )
  }
}

export const make = Effect.fnUntraced(function* (
  options: ReactorOptions
): Effect.fn.Return<Reactor, never, AttemptDriver | Minting | Feeds | RedactionApplier | Scope.Scope> {
  const services: Services = {
    driver: yield* AttemptDriver,
    minting: yield* Minting,
    feeds: yield* Feeds,
    redactions: yield* RedactionApplier,
    clock: yield* Clock.Clock,
    reach: (yield* CrashPoints).reach
  }
  const doings = new Doings(yield* Effect.context<never>())
  yield* Effect.addFinalizer(() => doings.end())
  return new Reactor(options, services, doings)
})

export const lostAfterMs = Limits.contactLeaseMs + Limits.contactMarginMs
