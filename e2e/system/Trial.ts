import { type EventId, fromUuid, prefixes, type SessionId } from "@troupe/domain/Ids"
import type { Decision } from "@troupe/domain/session/Input"
import { hash } from "node:crypto"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as Codec from "@troupe/domain/session/Codec"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { fold } from "@troupe/domain/session/evolve"
import { isFinal, type Refusal, type SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { type OpenSession } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import { Effect, Exit, Result, Scope } from "effect"
import type { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { EventStore } from "../../packages/server/src/log/EventStore.ts"
import type { ClientCall, Evidence, Transcript } from "../invariants/Evidence.ts"
import { judge } from "../invariants/judge.ts"
import { chaosProxy, type ChaosProxy } from "../support/ChaosProxy.ts"
import { collect } from "../support/collect.ts"
import { EffectSink } from "../support/EffectSink.ts"
import { leftovers, removeGroups } from "../support/leftovers.ts"
import type { RunnerHost, RunnerHostOptions } from "../support/RunnerHost.ts"
import { type SessionOptions, System } from "../support/System.ts"

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const sha256 = (text: string) => hash("sha256", text, "hex")

/** Until what is looked for is there, or too much time has passed. */
export const eventually = async <A>(
  what: string,
  look: () => A | undefined | Promise<A | undefined>,
  withinMs = 90_000
): Promise<A> => {
  const end = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await sleep(25)
  }
}

export const only = <Tag extends SessionEvent["_tag"]>(events: ReadonlyArray<SessionEvent>, tag: Tag) =>
  events.filter((event): event is EventOf<Tag> => event._tag === tag)

export interface TrialOptions {
  readonly seed?: number
  readonly nodes?: number
  /** For nodes and runners alike. */
  readonly contactLeaseMs?: number
}

/**
 * A system of real nodes and real runners on trial: its clients try again as clients do, readers follow every session over
 * whatever node is up, and the world outside counts what tools did. At the end all of it is judged.
 */
export class Trial {
  readonly system: System
  readonly sink: EffectSink
  private readonly sessions: Array<SessionId> = []
  private readonly calls: Array<ClientCall> = []
  private readonly transcripts: Array<Transcript> = []
  private readonly readers: Array<Promise<void>> = []
  private readonly doors = new Map<RunnerHost, ChaosProxy>()
  private readonly unspoken = new Set<NodeProcess>()
  private readonly revoked = new Set<RunnerHost>()
  private readonly env: Readonly<Record<string, string>>
  private reading = true

  private constructor(system: System, sink: EffectSink, { contactLeaseMs }: TrialOptions) {
    this.system = system
    this.sink = sink
    this.env = contactLeaseMs === undefined ? {} : { TROUPE_CONTACT_LEASE_MS: String(contactLeaseMs) }
  }

  /** Runs a story against a new system, and answers every promise that was broken. */
  static async run(options: TrialOptions, story: (trial: Trial) => Promise<void>): Promise<ReadonlyArray<string>> {
    const scope = Scope.makeUnsafe()
    const database = await Effect.runPromise(Scope.provide(TestDatabase.make(), scope))
    const trial = new Trial(new System(database, options.seed), await EffectSink.start(), options)
    try {
      await Promise.all(Array.from({ length: options.nodes ?? 1 }, () => trial.node()))
      await story(trial)
      return await trial.finish()
    } finally {
      trial.reading = false
      await trial.system.end()
      await Promise.all(trial.readers)
      await Promise.all([...trial.doors.values()].map((door) => door.close()))
      await trial.sink.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }

  node(env: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
    return this.system.node({ ...this.env, ...env })
  }

  /** The nodes that can be spoken to. */
  nodes(): ReadonlyArray<NodeProcess> {
    return this.system.nodes.filter((node) => !node.hasExited() && !this.unspoken.has(node))
  }

  async killNode(node: NodeProcess): Promise<void> {
    this.unspoken.add(node)
    await node.end("SIGKILL")
  }

  /** Nobody speaks to it until it is thawed. */
  freeze(node: NodeProcess): void {
    this.unspoken.add(node)
    node.signal("SIGSTOP")
  }

  thaw(node: NodeProcess): void {
    node.signal("SIGCONT")
    this.unspoken.delete(node)
  }

  /** A runner that dials an address of its own, behind which some node is, whichever is up. */
  async runner(options: Partial<RunnerHostOptions> = {}): Promise<RunnerHost> {
    let last = 0
    const door = await chaosProxy(() => {
      const nodes = this.nodes()
      const node = nodes[last++ % Math.max(1, nodes.length)]
      return node === undefined ? null : Number(new URL(node.gateway).port)
    })
    const env = { ...this.env, TROUPE_EGRESS_ALLOW: `127.0.0.1:${this.sink.port}`, ...options.env }
    const runner = this.system.runner({ ...options, servers: [`http://127.0.0.1:${door.port}`], env })
    this.doors.set(runner, door)
    return runner
  }

  /** The way from a runner to the nodes. */
  door(runner: RunnerHost): ChaosProxy {
    return this.doors.get(runner)!
  }

  runnerId(uuid: string): string {
    return fromUuid(prefixes.Runner, uuid)
  }

  /** Its credential opens nothing any more. What is in its journal stays there: it can't be told. */
  async revoke(runner: RunnerHost, name: string): Promise<void> {
    this.revoked.add(runner)
    await this.system.query(`UPDATE tokens SET revoked_at = now() WHERE kind = 'runner' AND name = '${name}'`)
  }

  /** A line for the demo model: a shell that has an effect, and then does something else. */
  effect(name: string, then = "echo done"): { readonly token: string; readonly line: string } {
    const token = this.sink.token(name)
    return { token, line: `run: ${this.sink.command(token)}; ${then}` }
  }

  async happened(token: string): Promise<void> {
    await eventually(`${token} happens`, () => (this.sink.count(token) > 0 ? true : undefined))
  }

  async open(options: SessionOptions = {}): Promise<SessionId> {
    const { body, session } = await this.system.opening(options)
    await this.send(session, body)
    this.sessions.push(session)
    this.readers.push(this.read(session))
    return session
  }

  async say(session: SessionId, ...lines: ReadonlyArray<string>): Promise<void> {
    await this.send(session, { _tag: "Send", inputs: [this.system.message(lines.join("\n"))] })
  }

  /** Answers a call that waits for a person. */
  async answer(session: SessionId, callId: EventId, decision: Decision): Promise<void> {
    const inputId = this.system.mint("Event") as EventId
    await this.send(session, { _tag: "Send", inputs: [{ _tag: "Confirmation", inputId, callId, decision }] })
  }

  /** Has a turn that asks whether to be tried again be tried again, until the thread rests. */
  async settle(session: SessionId): Promise<void> {
    await eventually(
      "it rests",
      async () => {
        const [thread] = (await this.state(session)).threads
        const { turn } = thread!
        if (turn === null) return true
        if (turn.phase._tag === "Deciding") await this.send(session, { _tag: "RetryTurn", turnId: turn.turnId })
        await sleep(200)
        return undefined
      },
      180_000
    )
  }

  /** Sends a command as a client does: again under its id, to whatever node is up, until it is answered for good. */
  async send(sessionId: SessionId, body: SessionCommand): Promise<void> {
    const command = this.system.command(body)
    const digest = CommandBody.digest(sha256, command)
    const record = (answer: ClientCall["answer"]) =>
      this.calls.push({ sessionId, commandId: command.commandId, digest, answer })
    await eventually(`${body._tag} is answered`, async () => {
      const nodes = this.nodes()
      const node = nodes[this.calls.length % Math.max(1, nodes.length)]
      try {
        if (node === undefined) throw new Error("no node is up")
        const answer = await node.command(sessionId, command)
        if (answer.error === undefined) {
          record({ _tag: "Accepted", seq: answer.ok.seq })
          return true
        }
        if (answer.error.tag === "CommandRejected") {
          const { reason } = JSON.parse(answer.error.text) as { readonly reason: Refusal }
          record(isFinal(reason) ? { _tag: "Rejected", reason: reason._tag } : { _tag: "Unknown" })
          throw new Refused(`${body._tag}: ${answer.error.text}`)
        }
        record({ _tag: "Unknown" })
      } catch (error) {
        if (error instanceof Refused) throw error
        record({ _tag: "Unknown" })
      }
      return undefined
    })
  }

  async log(session: SessionId): Promise<ReadonlyArray<SessionEvent>> {
    return await this.system.log(session)
  }

  /** Waits for an event, and answers the log with it. */
  until(
    session: SessionId,
    tag: SessionEvent["_tag"],
    count = 1,
    withinMs = 120_000
  ): Promise<ReadonlyArray<SessionEvent>> {
    return this.system.until(
      session,
      `${count} ${tag}`,
      (events) => only(events, tag as never).length >= count,
      withinMs
    )
  }

  ended(session: SessionId, turns = 1): Promise<ReadonlyArray<SessionEvent>> {
    return this.system.turnsEnded(session, turns)
  }

  /** The log with what the store says of each event. */
  async stored(session: SessionId) {
    const events = await this.system.run(
      Effect.flatMap(EventStore, (store) => store.read(session, { after: 0, limit: 100_000 }))
    )
    return events.map((one) => ({
      seq: one.seq,
      epoch: one.epoch,
      at: one.recordedAt / 1_000,
      event: Result.getOrThrow(Codec.decodeFast(one))
    }))
  }

  async state(session: SessionId): Promise<OpenSession> {
    const state = fold((await this.stored(session)).map(({ event }) => event))
    if (state._tag !== "Open") throw new Error("The session is not open")
    return state
  }

  /** How many characters the session's reader was shown before they were in the log. */
  shown(session: SessionId): number {
    const { deltas = [] } = this.transcripts.find(({ sessionId }) => sessionId === session)!
    return deltas.reduce((sum, { text }) => sum + text.length, 0)
  }

  /** Follows a session from its beginning, over whatever node is up, and goes on where it was. */
  private async read(sessionId: SessionId): Promise<void> {
    const seen: Array<Transcript["seen"][number]> = []
    const deltas: Array<NonNullable<Transcript["deltas"]>[number]> = []
    this.transcripts.push({ sessionId, after: 0, seen, deltas })
    for (let turn = 0; this.reading; turn++) {
      const nodes = this.nodes()
      const node = nodes[turn % Math.max(1, nodes.length)]
      if (node === undefined) {
        await sleep(50)
        continue
      }
      const watching = node.watch(sessionId, seen.at(-1)?.seq ?? 0)
      let isOver = false
      void watching.ended.then(() => {
        isOver = true
      })
      const until = performance.now() + 3_000
      let taken = 0
      const take = () => {
        for (const line of watching.lines.slice(taken)) {
          taken++
          if ("events" in line) seen.push(...line.events.map(({ eventId, seq }) => ({ eventId, seq })))
          if ("delta" in line) deltas.push({ ...line.delta, after: seen.at(-1)?.seq ?? 0 })
        }
      }
      while (!isOver && this.reading && performance.now() < until) {
        await sleep(20)
        take()
      }
      watching.stop()
      await watching.ended
      take()
      if (isOver) await sleep(100)
    }
  }

  /** Faults are over: everything comes to rest, the runners are told to stop, and what is left is judged. */
  private async finish(): Promise<ReadonlyArray<string>> {
    await eventually("everything rests", async () => {
      const states = await Promise.all(this.sessions.map((session) => this.state(session)))
      return states.every((state) => wakeAt(state) === null) ? true : undefined
    })
    const running = this.system.runners.filter((runner) => runner.isRunning())
    const told = running.filter((runner) => !this.revoked.has(runner))
    for (const runner of told) {
      await eventually(
        "the journal is empty",
        () => (attemptsIn(runner).length === 0 ? true : undefined),
        30_000
      ).catch(() => undefined)
    }
    const journals = told.flatMap((runner) => attemptsIn(runner).map((name) => `journal: ${name} is left`))
    // Readers get what is left.
    await sleep(1_000)
    this.reading = false
    await Promise.all(this.readers)
    const codes = await Promise.all(running.map((runner) => runner.stop("SIGTERM")))
    const sessions = await this.system.run(collect(this.sessions))
    const evidence: Evidence = {
      sessions,
      calls: this.calls,
      notes: [],
      effects: this.sink.effects,
      transcripts: this.transcripts,
      feeds: [],
      settled: true,
      secrets: [this.system.token, ...this.system.runners.flatMap((runner) => runner.credential() ?? [])]
    }
    const logs = (await Promise.all(this.sessions.map((session) => this.log(session)))).flat()
    const made = new Set(logs.flatMap((event) => ("sandboxId" in event ? [event.sandboxId] : [])))
    const left = leftovers([...made])
    removeGroups([...made])
    return [
      ...judge(evidence).map(({ detail, invariant, sessionId }) => `${invariant} ${sessionId}: ${detail}`),
      ...codes.filter((code) => code !== 0).map((code) => `a runner ended with ${code}`),
      ...journals,
      ...left,
      ...this.system.runners.flatMap(({ temporary }) =>
        existsSync(temporary) ? readdirSync(temporary).map((name) => `INV-11: ${join(temporary, name)} is left`) : []
      )
    ]
  }
}

class Refused extends Error {}

const attemptsIn = ({ state }: RunnerHost): ReadonlyArray<string> => {
  const directory = join(state, "journal/attempts")
  return existsSync(directory) ? readdirSync(directory) : []
}
