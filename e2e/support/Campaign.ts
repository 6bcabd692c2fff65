import { type AgentId, fromUuid, prefixes, type SessionId, type ThreadId, type WorkspaceId } from "@troupe/domain/Ids"
import { hash } from "node:crypto"
import * as CommandBody from "@troupe/domain/session/CommandBody"
import { isFinal, type Command, type Refusal, type SessionCommand } from "@troupe/domain/session/SessionCommand"
import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import { initial } from "@troupe/domain/session/SessionState"
import { wakeAt } from "@troupe/domain/session/standing"
import { Effect, Result } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { ClientCall, Evidence, FeedTranscript, Transcript } from "../invariants/Evidence.ts"
import { judge } from "../invariants/judge.ts"
import { allEvents } from "../../packages/server/test/support/allEvents.ts"
import { EventStore, type Cursor } from "../../packages/server/src/log/EventStore.ts"
import { commandOf, drawBody, openCommand } from "../../packages/server/test/support/CommandGenerator.ts"
import type { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { plainOpen } from "../../test/support/opening.ts"
import { mintId, prng, type Prng } from "../../test/support/Prng.ts"
import { collect } from "./collect.ts"
import { fetchNotes } from "./RemoteRunner.ts"

const sha256 = (text: string) => hash("sha256", text, "hex")
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** What the reader of everything asks for at once. */
const pageMax = 200

export interface CampaignOptions {
  readonly seed: number
  readonly sessions: number
  readonly clients: number
  /** Runs an effect on the database, past every node. */
  readonly database: <A, E>(effect: Effect.Effect<A, E, EventStore | SqlClient>) => Promise<A>
  readonly runnerUrl: string
  /** Nodes that may be spoken to now. */
  readonly nodes: () => ReadonlyArray<NodeProcess>
}

/**
 * Clients, readers and a reader of everything, at work while a test breaks things. Each remembers what it was told; the
 * judge compares that with what the database and the runner hold.
 */
export class Campaign {
  readonly calls: Array<ClientCall> = []
  readonly transcripts: Array<Transcript> = []
  readonly sessions: ReadonlyArray<SessionId>
  /** What tests do themselves, in sessions that nobody else speaks to. They are judged like all others. */
  private readonly own: Array<SessionId> = []
  private readonly options: CampaignOptions
  readonly random: Prng
  private readonly feed: Array<{ readonly streamId: string; readonly seq: number }> = []
  private clients: Array<Promise<void>> = []
  private readers: Array<Promise<void>> = []
  /** How often the reader of everything was given all that it may see. */
  private lastPages = 0
  private on = true
  private reading = true

  constructor(options: CampaignOptions) {
    this.options = options
    this.random = prng(options.seed)
    this.sessions = Array.from({ length: options.sessions }, () => mintId(this.random, "Session") as SessionId)
  }

  private node(random: Prng): NodeProcess | undefined {
    const nodes = this.options.nodes()
    return nodes.length === 0 ? undefined : random.pick(nodes)
  }

  private async state(sessionId: SessionId) {
    const events = await this.options.database(allEvents(sessionId))
    return fold(
      events.map((event) => Result.getOrThrow(Codec.decodeFast(event))),
      initial
    )
  }

  /** The one of the key that readers come with. */
  private workspace(): Promise<WorkspaceId> {
    const first = Effect.flatMap(
      SqlClient,
      (sql) => sql<{ readonly id: string }>`SELECT workspace_id::text AS id FROM workspaces LIMIT 1`
    )
    return this.options.database(Effect.map(first, ([row]) => fromUuid(prefixes.Workspace, row!.id) as WorkspaceId))
  }

  /** Sends a command until it is answered for good, as a client with retries does; now and then asks for the answer again. */
  private async send(sessionId: SessionId, command: Command, random: Prng, againChance = 0.1): Promise<void> {
    const digest = CommandBody.digest(sha256, command)
    const record = (answer: ClientCall["answer"]) =>
      this.calls.push({ sessionId, commandId: command.commandId, digest, answer })
    for (let tries = 0; tries < 200; tries++) {
      const node = this.node(random)
      try {
        if (node === undefined) throw new Error("no node is up")
        const answer = await node.command(sessionId, command)
        if (answer.error === undefined) {
          record({ _tag: "Accepted", seq: answer.ok.seq })
          if (!random.chance(againChance)) return
          continue
        }
        if (answer.error.tag === "CommandRejected") {
          const { reason } = JSON.parse(answer.error.text) as { readonly reason: Refusal }
          record(isFinal(reason) ? { _tag: "Rejected", reason: reason._tag } : { _tag: "Unknown" })
          return
        }
        if (answer.error.tag === "CommandIdReused") {
          record({ _tag: "Reused" })
          return
        }
        record({ _tag: "Unknown" })
      } catch {
        record({ _tag: "Unknown" })
      }
      if (!this.on && tries > 20) return
      await sleep(50)
    }
  }

  /** All sessions that there are. */
  get judged(): ReadonlyArray<SessionId> {
    return [...this.sessions, ...this.own]
  }

  /** A command as one of the clients makes it, to be told as often as a test likes. */
  command(draw: (random: Prng) => SessionCommand): Command {
    return commandOf(this.random, Date.now(), draw(this.random))
  }

  /** Sends a command of a test's own until it is answered for good. */
  tell(sessionId: SessionId, command: Command): Promise<void> {
    return this.send(sessionId, command, this.random, 0)
  }

  /** Opens a session that nobody but the test speaks to. */
  async openOwn(): Promise<SessionId> {
    const sessionId = mintId(this.random, "Session") as SessionId
    this.own.push(sessionId)
    const workspaceId = await this.workspace()
    await this.tell(
      sessionId,
      this.command((random) =>
        plainOpen({
          sessionId,
          workspaceId,
          threadId: mintId(random, "Thread") as ThreadId,
          agentId: mintId(random, "Agent") as AgentId
        })
      )
    )
    return sessionId
  }

  private async client(index: number): Promise<void> {
    const random = this.random.fork(100 + index)
    const workspaceId = await this.workspace()
    for (const [at, sessionId] of this.sessions.entries()) {
      if (at % this.options.clients === index) {
        // A workspace has one session at most for each thread of others.
        const body = { ...openCommand(random, sessionId, workspaceId), externalThreadKey: null } as SessionCommand
        await this.send(sessionId, commandOf(random, Date.now(), body), random)
      }
    }
    while (this.on) {
      const sessionId = random.pick(this.sessions)
      try {
        const body = drawBody(random, sessionId, await this.state(sessionId))
        // Ended sessions answer nothing of interest.
        if (body._tag === "Archive" || body._tag === "Delete") continue
        await this.send(sessionId, commandOf(random, Date.now(), body), random)
      } catch {
        await sleep(50)
      }
      await sleep(random.int(40))
    }
  }

  /** Follows a session from its beginning, from whatever node is up, and resumes where it was. */
  private async reader(sessionId: SessionId, index: number): Promise<void> {
    const random = this.random.fork(1_000 + index)
    const seen: Array<{ readonly seq: number; readonly eventId: string }> = []
    this.transcripts.push({ sessionId, after: 0, seen })
    while (this.reading) {
      const node = this.node(random)
      if (node === undefined) {
        await sleep(50)
        continue
      }
      const watching = node.watch(sessionId, seen.at(-1)?.seq ?? 0)
      let taken = 0
      let over = false
      void watching.ended.then(() => {
        over = true
      })
      const until = Date.now() + 500 + random.int(3_000)
      const more = () => {
        for (; taken < watching.lines.length; taken++) {
          const line = watching.lines[taken]!
          if ("events" in line) seen.push(...line.events.map(({ eventId, seq }) => ({ eventId, seq })))
        }
      }
      while (!over && this.reading && Date.now() < until) {
        await sleep(20)
        more()
      }
      watching.stop()
      await watching.ended
      more()
      // Not open yet, or its node is in trouble.
      if (over) await sleep(100)
    }
  }

  /** Readers get what is left. */
  private async readersAreDone(): Promise<void> {
    const ends = new Map<string, number>(
      await Promise.all(
        this.judged.map(
          async (sessionId) => [sessionId, (await this.options.database(allEvents(sessionId))).length] as const
        )
      )
    )
    const got = (list: ReadonlyArray<{ readonly seq: number }>) => list.at(-1)?.seq ?? 0
    const deadline = Date.now() + 30_000
    while (Date.now() < deadline) {
      const fed = Map.groupBy(this.feed, ({ streamId }): string => streamId)
      const isDone = this.transcripts.every(({ seen, sessionId }) => got(seen) >= ends.get(sessionId)!)
      if (isDone && this.judged.every((id) => got(fed.get(id) ?? []) >= ends.get(id)!)) return
      await sleep(50)
    }
  }

  private async reads(): Promise<void> {
    let after: Cursor = { xid: "0", position: "0" }
    while (this.reading) {
      try {
        const page = await this.options.database(
          Effect.flatMap(EventStore, (store) => store.readAll({ after, limit: pageMax }))
        )
        for (const { cursor, event } of page) {
          this.feed.push({ streamId: event.streamId, seq: event.seq })
          after = cursor
        }
        if (page.length < pageMax) this.lastPages++
        if (page.length === 0) await sleep(5)
      } catch {
        await sleep(50)
      }
    }
  }

  /** Waits until the reader of everything has read what it may of what is there now. */
  async readOn(): Promise<void> {
    // The first of them may have been asked for before.
    const enough = this.lastPages + 2
    while (this.lastPages < enough) await sleep(5)
  }

  start(): void {
    this.clients = Array.from({ length: this.options.clients }, (_, index) => this.client(index))
    this.readers = [...this.sessions.map((sessionId, index) => this.reader(sessionId, index)), this.reads()]
  }

  /** How many commands were acknowledged up to now. */
  accepted(): number {
    return this.calls.filter(({ answer }) => answer._tag === "Accepted").length
  }

  /** Waits until more commands were acknowledged than these. */
  async acceptedMore(than: number, withinMs = 90_000): Promise<void> {
    const deadline = Date.now() + withinMs
    while (this.accepted() <= than) {
      if (Date.now() > deadline) throw new Error(`No command was acknowledged within ${withinMs} ms`)
      await sleep(50)
    }
  }

  /** Faults are over: clients stop, time passes until sessions rest, and everything is judged. With no time, as it stands. */
  async finish(restMs: number): Promise<{ readonly problems: ReadonlyArray<string>; readonly evidence: Evidence }> {
    this.on = false
    await Promise.all(this.clients)
    const deadline = Date.now() + restMs
    while (Date.now() < deadline) {
      const states = await Promise.all(this.judged.map((sessionId) => this.state(sessionId)))
      if (states.every((state) => state._tag !== "Open" || wakeAt(state) === null)) break
      await sleep(250)
    }
    const settled = restMs > 0
    if (settled) await this.readersAreDone()
    this.reading = false
    await Promise.all(this.readers)
    const sessions = await this.options.database(collect(this.judged))
    const feeds: ReadonlyArray<FeedTranscript> = [{ seen: this.feed }]
    const evidence: Evidence = {
      sessions,
      calls: this.calls,
      notes: await fetchNotes(this.options.runnerUrl),
      transcripts: this.transcripts,
      feeds,
      settled,
      secrets: []
    }
    const problems = judge(evidence).map(({ detail, invariant, sessionId }) => `${invariant} ${sessionId}: ${detail}`)
    return { problems, evidence }
  }
}
