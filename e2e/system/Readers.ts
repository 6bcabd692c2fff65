import type { NodeProcess, Watching } from "../../packages/server/test/support/NodeProcess.ts"
import type { Transcript } from "../invariants/Evidence.ts"
import { sleep } from "./waiting.ts"

/** How long a reader stays at one node. */
const stayMs = 3_000

/** One reader for each session, over whatever node is up, and with its own record of what it was given. */
export class Readers {
  readonly transcripts: Array<Transcript> = []
  private readonly nodes: () => ReadonlyArray<NodeProcess>
  private readonly following: Array<Promise<void>> = []
  private on = true

  constructor(nodes: () => ReadonlyArray<NodeProcess>) {
    this.nodes = nodes
  }

  follow(sessionId: string): void {
    this.following.push(this.read(sessionId))
  }

  shown(sessionId: string): number {
    const { deltas = [] } = this.transcripts.find((transcript) => transcript.sessionId === sessionId)!
    return deltas.reduce((sum, { text }) => sum + text.length, 0)
  }

  /** The last event of the session that its reader was given. */
  reached(sessionId: string): number {
    return this.transcripts.find((transcript) => transcript.sessionId === sessionId)?.seen.at(-1)?.seq ?? 0
  }

  async stop(): Promise<void> {
    this.on = false
    await Promise.all(this.following)
  }

  /** From the session's beginning, and from where it was at each node after. */
  private async read(sessionId: string): Promise<void> {
    const seen: Array<Transcript["seen"][number]> = []
    const deltas: Array<NonNullable<Transcript["deltas"]>[number]> = []
    this.transcripts.push({ sessionId, after: 0, seen, deltas })
    const take = (lines: Watching["lines"]) => {
      for (const line of lines) {
        if ("events" in line) seen.push(...line.events.map(({ eventId, seq }) => ({ eventId, seq })))
        if ("delta" in line) deltas.push({ ...line.delta, after: seen.at(-1)?.seq ?? 0 })
      }
    }
    for (let turn = 0; this.on; turn++) {
      const nodes = this.nodes()
      const node = nodes[turn % Math.max(1, nodes.length)]
      if (node === undefined) await sleep(50)
      else await this.stay(node.watch(sessionId, seen.at(-1)?.seq ?? 0), take)
    }
  }

  private async stay(watching: Watching, take: (lines: Watching["lines"]) => void): Promise<void> {
    const until = performance.now() + stayMs
    let isOver = false
    void watching.ended.then(() => {
      isOver = true
    })
    let taken = 0
    const more = () => {
      const lines = watching.lines.slice(taken)
      taken += lines.length
      take(lines)
    }
    while (!isOver && this.on && performance.now() < until) {
      await sleep(20)
      more()
    }
    watching.stop()
    await watching.ended
    more()
    if (isOver) await sleep(100)
  }
}
