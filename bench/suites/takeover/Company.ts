import { toUuid, type SessionId } from "@troupe/domain/Ids"
import { Redacted } from "effect"
import { plainMessage } from "../../../packages/server/test/support/CommandGenerator.ts"
import type { NodeProcess, SeenLine } from "../../../packages/server/test/support/NodeProcess.ts"
import { eventually, TestCluster } from "../../../packages/server/test/support/TestCluster.ts"
import type { Database } from "../../harness/Database.ts"

const patienceMs = 60_000
const sessionsEach = 3

/** Now, by the clock of this process and by the one that its nodes have too. */
export interface Moment {
  readonly monotonic: number
  readonly wall: number
}

export const now = (): Moment => ({ monotonic: performance.now(), wall: Date.now() })

const nextOwner = (last: number) => (line: SeenLine) =>
  "events" in line && line.events.some(({ epoch }) => epoch > last)

/** Nodes on one database, of which the first is the one that something happens to. */
export class Company {
  private readonly cluster: TestCluster
  private readonly database: Database
  private nodes: ReadonlyArray<NodeProcess> = []

  constructor(database: Database) {
    const url = Redacted.make(database.url)
    this.database = database
    this.cluster = new TestCluster({ name: database.name, appUrl: url, ownerUrl: url, superuserUrl: url })
  }

  async start(count: number): Promise<void> {
    this.nodes = await Promise.all(Array.from({ length: count }, () => this.cluster.add()))
    await this.cluster.settled(this.nodes)
  }

  async replaceFirst(): Promise<void> {
    this.nodes = [await this.cluster.add(), ...this.nodes.slice(1)]
    await this.cluster.settled(this.nodes)
  }

  settled(): Promise<void> {
    return this.cluster.settled(this.nodes)
  }

  get first(): NodeProcess {
    return this.nodes[0]!
  }

  /** Sessions of the first node, called from the second and read at the last, none of which notices but by waiting. */
  async atWork() {
    const [owner, caller] = this.nodes
    const sessions = await this.cluster.openOn(owner!, caller!, sessionsEach)
    const readers = sessions.map((session) => this.nodes.at(-1)!.watch(session, 0))
    const writers = sessions.map((session) => this.cluster.keepUpdating(caller!, session))
    await eventually(async () => writers.every(({ accepted }) => accepted.length > 5), "the updates flow", patienceMs)
    return {
      /** How long after `since` each reader saw what the next owner wrote, and its caller was answered by that. */
      takenOver: (since: Moment) =>
        Promise.all(
          readers.map(async ({ lines }, index) => {
            const seen = lines.flatMap((line) => ("events" in line ? line.events : []))
            const find = nextOwner(seen.at(-1)?.epoch ?? 0)
            await eventually(async () => lines.some(find), "a reader sees the new owner", patienceMs)
            const line = lines.find(find)!
            const first = "events" in line ? line.events[0]!.seq : 0
            const answer = () => writers[index]!.accepted.find(({ seq }) => seq >= first)
            await eventually(async () => answer() !== undefined, "a caller is answered again", patienceMs)
            return { shown: line.at - since.wall, answered: answer()!.at - since.monotonic }
          })
        ),
      /** The longest that any of them waited for an answer, counted from `since`. */
      longestWait: ({ monotonic }: Moment) =>
        writers.map(({ accepted }) => {
          const times = [monotonic, ...accepted.map(({ at }) => at).filter((at) => at > monotonic)]
          return Math.max(...times.slice(1).map((at, index) => at - times[index]!))
        }),
      stop: async () => {
        await Promise.all(writers.map((writer) => writer.stop()))
        for (const reader of readers) reader.stop()
        const trouble = [...writers.flatMap(({ failed }) => failed), ...readers.flatMap((reader) => reader.trouble)]
        if (trouble.length > 0) throw new Error(trouble.join("\n"))
      }
    }
  }

  /** A session of the first node with a turn that is due, which nobody calls: waits until somebody else owns it. */
  async unasked() {
    const [owner, caller] = this.nodes
    const [session] = await this.cluster.openOn(owner!, caller!, 1)
    const inputs = [plainMessage(this.cluster.random)]
    const answer = await caller!.command(session!, this.cluster.command({ _tag: "Send", inputs }))
    if (answer.error !== undefined) throw new Error(answer.error.text)
    const before = await this.epochOf(session!)
    return async (since: Moment) => {
      await eventually(async () => (await this.epochOf(session!)) > before, "the session is woken", patienceMs)
      return performance.now() - since.monotonic
    }
  }

  private async epochOf(session: SessionId): Promise<number> {
    const [head] = await this.database.query<{ epoch: number }>("SELECT epoch FROM heads WHERE stream_id = $1::uuid", [
      toUuid(session)
    ])
    return head!.epoch
  }

  /** Events that an owner wrote after a later one had. */
  async staleWrites(): Promise<number> {
    const [counted] = await this.database.query<{ stale: number }>(
      `SELECT count(*) FILTER (WHERE epoch < latest)::int AS stale FROM (
         SELECT epoch, max(epoch) OVER (PARTITION BY stream_id ORDER BY seq) AS latest FROM events
       ) written`
    )
    return counted!.stale
  }

  end(): Promise<void> {
    return this.cluster.end()
  }
}
