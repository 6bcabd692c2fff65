import { type EventId, fromUuid, prefixes, type SessionId, type TurnId } from "@troupe/domain/Ids"
import type { Decision } from "@troupe/domain/session/Input"
import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import type { SessionCommand } from "@troupe/domain/session/SessionCommand"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { type OpenSession } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import { Effect, Result } from "effect"
import type { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { EventStore } from "../../packages/server/src/log/EventStore.ts"
import type { Evidence } from "../invariants/Evidence.ts"
import { judge } from "../invariants/judge.ts"
import { chaosProxy, type ChaosProxy } from "../support/ChaosProxy.ts"
import { collect } from "../support/collect.ts"
import { EffectSink } from "../support/EffectSink.ts"
import { leftovers, removeGroups } from "../support/leftovers.ts"
import type { RunnerHost, RunnerHostOptions } from "../support/RunnerHost.ts"
import { type SessionOptions, System } from "../support/System.ts"
import { Client } from "./Client.ts"
import { Readers } from "./Readers.ts"
import { eventually, only, sleep } from "./waiting.ts"

/** A lost attempt is given up after the lease, which is a minute where stories are told in full. */
const endsWithinMs = process.env["TROUPE_FULL"] === "1" ? 300_000 : 180_000

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
  private readonly client = new Client(() => this.nodes())
  private readonly readers = new Readers(() => this.nodes())
  private readonly doors = new Map<RunnerHost, ChaosProxy>()
  private readonly unspoken = new Set<NodeProcess>()
  private readonly revoked = new Set<RunnerHost>()
  private readonly forgetful = new Set<RunnerHost>()
  private readonly env: Readonly<Record<string, string>>

  private constructor(system: System, sink: EffectSink, { contactLeaseMs }: TrialOptions) {
    this.system = system
    this.sink = sink
    this.env = contactLeaseMs === undefined ? {} : { TROUPE_CONTACT_LEASE_MS: String(contactLeaseMs) }
  }

  /** Runs a story against a new system, and answers every promise that was broken. */
  static async run(options: TrialOptions, story: (trial: Trial) => Promise<void>): Promise<ReadonlyArray<string>> {
    const [system, sink] = await Promise.all([System.make(options.seed), EffectSink.start()])
    const trial = new Trial(system, sink, options)
    try {
      await Promise.all(Array.from({ length: options.nodes ?? 1 }, () => trial.node()))
      await story(trial)
      return await trial.finish()
    } finally {
      await trial.system.end()
      await trial.readers.stop()
      await Promise.all([...trial.doors.values()].map((door) => door.close()))
      await trial.sink.close()
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

  /** Kills it and loses its disk, but for who it is. What only that disk knew of, it can't take away any more. */
  async loseDisk(runner: RunnerHost): Promise<void> {
    this.forgetful.add(runner)
    await runner.stop("SIGKILL")
    const kept = new Set(["identity.json", "token", "tmp"])
    for (const name of readdirSync(runner.state)) {
      if (!kept.has(name)) rmSync(join(runner.state, name), { recursive: true, force: true })
    }
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
    return this.follow(session)
  }

  /** Another session that goes on from where this turn of the first one ended. */
  async fork(session: SessionId, turn: TurnId): Promise<SessionId> {
    const { id } = await this.nodes()[0]!.api<{ readonly id: SessionId }>(`/sessions/${session}/fork`, { turn })
    return this.follow(id)
  }

  private follow(session: SessionId): SessionId {
    this.sessions.push(session)
    this.readers.follow(session)
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

  async send(session: SessionId, body: SessionCommand): Promise<void> {
    await this.client.send(session, this.system.command(body))
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
    return this.system.turnsEnded(session, turns, endsWithinMs)
  }

  /** What happened in all of its sessions. */
  async logs(): Promise<ReadonlyArray<SessionEvent>> {
    return (await Promise.all(this.sessions.map((session) => this.log(session)))).flat()
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
    return this.readers.shown(session)
  }

  /** Readers get what is left. */
  private async readersAreDone(): Promise<void> {
    await eventually(
      "readers are at the end",
      async () => {
        for (const session of this.sessions) {
          if (this.readers.reached(session) < (await this.log(session)).length) return undefined
        }
        return true
      },
      30_000
    )
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
    await this.readersAreDone()
    await this.readers.stop()
    const codes = await Promise.all(running.map((runner) => runner.stop("SIGTERM")))
    const sessions = await this.system.run(collect(this.sessions))
    const evidence: Evidence = {
      sessions,
      calls: this.client.calls,
      notes: [],
      effects: this.sink.effects,
      transcripts: this.readers.transcripts,
      feeds: [],
      settled: true,
      secrets: [this.system.token, ...this.system.runners.flatMap((runner) => runner.credential() ?? [])]
    }
    const logs = await this.logs()
    const made = new Set(logs.flatMap((event) => ("sandboxId" in event ? [event.sandboxId] : [])))
    const lost = new Set(this.forgetful.size === 0 ? [] : only(logs, "SandboxLost").map(({ sandboxId }) => sandboxId))
    const left = leftovers([...made].filter((sandboxId) => !lost.has(sandboxId)))
    removeGroups([...made])
    return [
      ...judge(evidence).map(({ detail, invariant, sessionId }) => `${invariant} ${sessionId}: ${detail}`),
      ...codes.filter((code) => code !== 0).map((code) => `a runner ended with ${code}`),
      ...journals,
      ...left,
      ...this.system.runners
        .filter((runner) => !this.forgetful.has(runner))
        .flatMap(({ temporary }) => listed(temporary).map((name) => `INV-11: ${join(temporary, name)} is left`))
    ]
  }
}

const listed = (directory: string): ReadonlyArray<string> => (existsSync(directory) ? readdirSync(directory) : [])

const attemptsIn = ({ state }: RunnerHost): ReadonlyArray<string> => listed(join(state, "journal/attempts"))
