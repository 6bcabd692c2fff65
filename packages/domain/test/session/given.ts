import { assert } from "@effect/vitest"
import { Result } from "effect"
import { plan } from "../../src/session/decide.ts"
import { evolve, fold } from "../../src/session/evolve.ts"
import type { Refusal, SessionCommand } from "../../src/session/SessionCommand.ts"
import type { SessionEvent } from "../../src/session/SessionEvent.ts"
import type { Call, OpenSession, SessionState, Thread, Turn } from "../../src/session/SessionState.ts"
import { sessionStatus } from "../../src/session/standing.ts"
import { callId, command, threadId } from "./make.ts"

/** An event by its name alone, or by the fields that matter. */
export type Expected = SessionEvent["_tag"] | ({ readonly _tag: SessionEvent["_tag"] } & Record<string, unknown>)

const startMs = 1_000_000
const stepMs = 10

const matches = (event: SessionEvent, expected: Expected, index: number): void => {
  if (typeof expected === "string") return
  for (const [key, value] of Object.entries(expected)) {
    assert.deepStrictEqual((event as unknown as Record<string, unknown>)[key], value, `event ${index}: ${key}`)
  }
}

/** A session that something has happened to. Time goes on by ten milliseconds with each command. */
export class Story {
  readonly state: SessionState
  readonly log: ReadonlyArray<SessionEvent>
  readonly now: number
  readonly commands: number

  constructor(state: SessionState, log: ReadonlyArray<SessionEvent>, now: number, commands: number) {
    this.state = state
    this.log = log
    this.now = now
    this.commands = commands
  }

  get session(): OpenSession {
    if (this.state._tag !== "Open") throw new Error("the session is not open")
    return this.state
  }

  thread(n = 1): Thread {
    const found = this.session.threads.find((thread) => thread.threadId === threadId(n))
    if (found === undefined) throw new Error(`there is no thread ${n}`)
    return found
  }

  turn(thread = 1): Turn {
    const { turn } = this.thread(thread)
    if (turn === null) throw new Error(`thread ${thread} runs no turn`)
    return turn
  }

  call(n: number): Call {
    const found = this.session.threads
      .flatMap(({ turn }) => turn?.calls ?? [])
      .find((call) => call.callId === callId(n))
    if (found === undefined) throw new Error(`call ${n} is not open`)
    return found
  }

  /** Time passes. */
  later(ms: number): Story {
    return new Story(this.state, this.log, this.now + ms, this.commands)
  }

  when(body: SessionCommand): Outcome {
    return new Outcome(this, body)
  }

  /** These commands are accepted, one after the other. */
  and(...bodies: ReadonlyArray<SessionCommand>): Story {
    return bodies.reduce<Story>((story, body) => story.when(body).accepted(), this)
  }

  hasStatus(expected: string, stop?: string): this {
    const { status, stop: actual } = sessionStatus(this.session)
    assert.deepStrictEqual([status, actual?.type], [expected, stop])
    return this
  }
}

/** What came of a command. */
class Outcome {
  readonly before: Story
  readonly body: SessionCommand
  readonly decided: ReturnType<typeof plan>

  constructor(before: Story, body: SessionCommand) {
    this.before = before
    this.body = body
    this.decided = plan(before.state, command(before.commands, before.now, body))
  }

  thenRejected(expected: Refusal["_tag"] | ({ readonly _tag: Refusal["_tag"] } & Record<string, unknown>)): Story {
    if (Result.isSuccess(this.decided)) return assert.fail(`${this.body._tag} was accepted`)
    const { reason } = this.decided.failure
    const want = typeof expected === "string" ? { _tag: expected } : expected
    assert.deepStrictEqual({ ...reason, ...want }, reason)
    return this.before
  }

  /** Accepted, whatever it led to; the log says the same as the decision. */
  accepted(): Story {
    if (Result.isFailure(this.decided)) return assert.fail(JSON.stringify(this.decided.failure.reason))
    const { events, state } = this.decided.success
    assert.deepStrictEqual(events.reduce(evolve, this.before.state), state)
    const { commands, log, now } = this.before
    return new Story(state, [...log, ...events], now + stepMs, commands + 1)
  }

  get events(): ReadonlyArray<SessionEvent> {
    return Result.isSuccess(this.decided) ? this.decided.success.events : []
  }

  /** Exactly these events, in this order. */
  thenEvents(...expected: ReadonlyArray<Expected>): Story {
    const story = this.accepted()
    const tags = expected.map((one) => (typeof one === "string" ? one : one._tag))
    assert.deepStrictEqual(
      this.events.map((event) => event._tag),
      tags
    )
    this.events.forEach((event, index) => matches(event, expected[index] ?? event._tag, index))
    return story
  }

  /** This event among others. */
  thenEvent(expected: Expected): Story {
    const story = this.accepted()
    const tag = typeof expected === "string" ? expected : expected._tag
    const found = this.events.find((event) => event._tag === tag)
    if (found === undefined) return assert.fail(`no ${tag} among ${this.events.map((event) => event._tag).join(", ")}`)
    matches(found, expected, this.events.indexOf(found))
    return story
  }

  thenStatus(status: string, stop?: string): Story {
    return this.accepted().hasStatus(status, stop)
  }
}

/** A session to which these events have happened. */
export const given = (...events: ReadonlyArray<SessionEvent>): Story => new Story(fold(events), events, startMs, 1)

/** A session that has taken these commands. */
export const after = (...bodies: ReadonlyArray<SessionCommand>): Story => given().and(...bodies)
