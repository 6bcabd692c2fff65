import type { SessionId } from "@troupe/domain/Ids"
import * as Codec from "@troupe/domain/session/Codec"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { evolve } from "@troupe/domain/session/evolve"
import { isFinal, type Command } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { initial, type SessionState } from "@troupe/domain/session/SessionState"
import { Clock, Effect, Exit, Fiber, Option, Result, type Scope } from "effect"
import type { ClientCall } from "../../../../../e2e/invariants/Evidence.ts"
import type { EventStore } from "../../../src/log/EventStore.ts"
import type { CrashPoint } from "../../../src/session/CrashPoints.ts"
import type { Accepted } from "../../../src/session/planBatch.ts"
import type { SessionError } from "../../../src/session/SessionErrors.ts"
import type { Prng } from "../../../../../test/support/Prng.ts"
import type { Depth } from "./Depth.ts"
import { sha256, type Host } from "./Host.ts"

export interface SiteOptions {
  readonly sessionId: SessionId
  readonly random: Prng
  readonly scope: Scope.Scope
  /** Where hosts close: some die on the way, and never finish. */
  readonly limbo: Scope.Scope
  readonly makeHost: Effect.Effect<Host>
  /** The log as it is, for whoever looks from outside. */
  readonly log: EventStore["Service"]
  readonly calls: Array<ClientCall>
  readonly depth: Depth
}

/** The waker asks a session that stays due again after a while. */
const wakeAgainMs = 10_000
const triesMax = 3

const isPassing = (error: SessionError): boolean =>
  error._tag === "SessionMoved" || error._tag === "SessionUnavailable" || error._tag === "Overloaded"

const answerOf = (command: Command, exit: Exit.Exit<Accepted, SessionError>): ClientCall["answer"] => {
  if (Exit.isSuccess(exit)) return { _tag: "Accepted", seq: exit.value.seq }
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error?._tag === "CommandIdReused") return { _tag: "Reused" }
  if (error?._tag !== "CommandRejected" || !isFinal(error.reason)) return { _tag: "Unknown" }
  // A session that could not be opened keeps no receipts: the same id may open it after all.
  if (command.body._tag === "Open" && error.reason._tag !== "AlreadyOpen") return { _tag: "Unknown" }
  return { _tag: "Rejected", reason: error.reason._tag }
}

/** One session, the hosts that own it or believe so, and the clients that talk to it. */
export class Site {
  readonly sessionId: SessionId
  readonly events: Array<SessionEvent> = []
  readonly sent: Array<Command> = []
  private readonly options: SiteOptions
  private state: SessionState = initial
  private owner: Host | null = null
  private wokenAt = -Infinity
  private readonly accepted = new Set<string>()
  /** Hosts that were replaced and do not know it, running or frozen. */
  private readonly zombies: Array<Host> = []
  private readonly frozen: Array<Host> = []
  private clients: Array<Fiber.Fiber<unknown>> = []

  constructor(options: SiteOptions) {
    this.options = options
    this.sessionId = options.sessionId
  }

  private readonly host = Effect.fnUntraced(function* (this: Site) {
    if (this.owner !== null && !this.owner.isDead()) return this.owner
    this.owner = yield* this.options.makeHost
    this.wokenAt = -Infinity
    return this.owner
  })

  /** What the log folds to now. */
  readonly look = Effect.fnUntraced(function* (this: Site) {
    const { log } = this.options
    const more = yield* Effect.orDie(log.read(this.sessionId, { after: this.events.length, limit: 1_000_000 }))
    for (const recorded of more) {
      const event = Result.getOrThrow(Codec.decodeFast(recorded))
      this.events.push(event)
      this.state = evolve(this.state, event)
    }
    return this.state
  })

  private readonly ask = Effect.fnUntraced(function* (this: Site, command: Command, to: Host) {
    const { calls, depth } = this.options
    const exit = yield* Effect.exit(to.actor.handle(command))
    const digest = CommandBody.digest(sha256, command)
    const answer = to.isDead() ? ({ _tag: "Unknown" } as const) : answerOf(command, exit)
    calls.push({ sessionId: this.sessionId, commandId: command.commandId, digest, answer })
    const error = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (answer._tag === "Accepted" && this.accepted.has(command.commandId)) depth.add("answer", "accepted before")
    if (answer._tag === "Accepted") this.accepted.add(command.commandId)
    depth.add("answer", error?._tag ?? (Exit.isSuccess(exit) ? "Accepted" : "none"))
    if (error?._tag === "CommandRejected") depth.add("refusal", error.reason._tag)
    return { answer, error }
  })

  /** A client: sends again what may pass, as often as clients do. */
  private readonly client = Effect.fnUntraced(function* (this: Site, command: Command, tries: number) {
    const { random } = this.options
    for (let left = tries; left > 0; left--) {
      const astray = this.zombies.length > 0 && random.chance(0.2)
      const { answer, error } = yield* this.ask(command, astray ? random.pick(this.zombies) : yield* this.host())
      if (answer._tag !== "Unknown") return true
      if (error !== undefined && !isPassing(error)) return true
      yield* Effect.sleep(100 + random.int(400))
    }
    return false
  })

  readonly launch = Effect.fnUntraced(function* (this: Site, command: Command, tries = triesMax) {
    this.sent.push(command)
    this.clients = this.clients.filter((fiber) => fiber.pollUnsafe() === undefined)
    this.clients.push(yield* Effect.forkIn(this.client(command, tries), this.options.scope))
  })

  /** A client that waits goes away. */
  readonly cancel = Effect.fnUntraced(function* (this: Site, random: Prng) {
    const waiting = this.clients.filter((fiber) => fiber.pollUnsafe() === undefined)
    if (waiting.length === 0) return
    this.options.depth.add("client", "went away")
    yield* Fiber.interrupt(random.pick(waiting))
  })

  /** What the waker does each second. */
  readonly wake = Effect.fnUntraced(function* (this: Site) {
    const nowMs = yield* Clock.currentTimeMillis
    const due = yield* Effect.orDie(this.options.log.due({ shards: [1], nowMs, after: null, limit: 100 }))
    if (!due.some(({ streamId }) => streamId === this.sessionId)) return
    const { actor } = yield* this.host()
    if (nowMs - this.wokenAt < wakeAgainMs) return
    this.wokenAt = nowMs
    yield* Effect.forkIn(Effect.ignore(actor.wake), this.options.scope)
  })

  /** Shut down in good order. */
  readonly evict = Effect.fnUntraced(function* (this: Site) {
    const { owner } = this
    this.owner = null
    if (owner !== null && !owner.isDead()) yield* Effect.forkIn(owner.close, this.options.limbo)
  })

  /** Somebody else takes over, and the owner goes on as if nothing had been. */
  replace(how: "takeover" | "freeze"): void {
    const { owner } = this
    this.owner = null
    if (owner === null || owner.isDead()) return
    if (how === "freeze") {
      owner.freeze()
      this.frozen.push(owner)
    } else this.zombies.push(owner)
  }

  thaw(): void {
    for (const host of this.frozen.splice(0)) {
      host.thaw()
      this.zombies.push(host)
    }
  }

  crash(at: CrashPoint | "now"): void {
    this.owner?.crash(at)
  }

  /** No more trouble comes from here: nobody is frozen, nobody believes wrongly to be the owner. */
  readonly calm = Effect.fnUntraced(function* (this: Site) {
    this.owner?.crash("never")
    this.thaw()
    for (const zombie of this.zombies.splice(0)) {
      if (!zombie.isDead()) yield* Effect.forkIn(zombie.close, this.options.limbo)
    }
  })

  /** Everything that was ever sent comes again, until it has a final answer. */
  readonly resend = Effect.fnUntraced(function* (this: Site) {
    for (const fiber of this.clients) yield* Fiber.interrupt(fiber)
    const again = this.sent.splice(0)
    for (const command of again) yield* this.launch(command, 10)
  })

  /** Commands that have no answer though nothing stands in their way. */
  readonly unanswered = Effect.fnUntraced(function* (this: Site) {
    const exits = this.clients.map((fiber) => fiber.pollUnsafe())
    const missing = exits.filter((exit) => exit === undefined || !Exit.isSuccess(exit) || exit.value !== true)
    for (const fiber of this.clients) yield* Fiber.interrupt(fiber)
    return missing.length
  })

  readonly close = Effect.fnUntraced(function* (this: Site) {
    if (this.owner !== null && !this.owner.isDead()) yield* this.owner.close
  })
}
