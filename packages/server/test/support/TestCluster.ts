import type { SessionId, WorkspaceId } from "@troupe/domain/Ids"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Redacted } from "effect"
import { openCommand } from "./CommandGenerator.ts"
import { NodeProcess } from "./NodeProcess.ts"
import { mintId, prng, type Prng } from "../../../../test/support/Prng.ts"
import type { TestDatabase } from "./TestDatabase.ts"

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export const eventually = async (
  condition: () => Promise<boolean>,
  what: string,
  withinMs = 60_000
): Promise<number> => {
  const begun = performance.now()
  while (!(await condition())) {
    if (performance.now() - begun > withinMs) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await sleep(20)
  }
  return performance.now() - begun
}

/** Nodes on one database, and clients that talk to them. */
export class TestCluster {
  readonly nodes: Array<NodeProcess> = []
  readonly random: Prng
  private readonly env: Readonly<Record<string, string>>
  private workspace: WorkspaceId | undefined

  constructor(database: TestDatabase["Service"], seed = 1) {
    this.random = prng(seed)
    this.env = {
      DATABASE_URL: Redacted.value(database.appUrl),
      DATABASE_OWNER_URL: Redacted.value(database.ownerUrl)
    }
  }

  async add(env: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
    const node = await NodeProcess.start({ ...this.env, ...env })
    this.nodes.push(node)
    return node
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")))
  }

  command(body: SessionCommand): Command {
    return {
      commandId: mintId(this.random, "Command") as never,
      at: Date.now(),
      actor: { type: "api_key", id: "test" },
      correlationId: "0".repeat(32),
      body
    }
  }

  async open(by: NodeProcess): Promise<SessionId> {
    const session = mintId(this.random, "Session") as SessionId
    // Without inputs: what is counted here are events, not turns.
    const workspace = (this.workspace ??= await by.workspace())
    const plain = { inputs: [], budget: [], externalThreadKey: null }
    const body = { ...openCommand(this.random, session, workspace), ...plain } as SessionCommand
    const answer = await by.command(session, this.command(body))
    if (answer.error !== undefined) throw new Error(answer.error.text)
    return session
  }

  /** New sessions until `count` of them live on `owner`. */
  async openOn(owner: NodeProcess, by: NodeProcess, count: number): Promise<Array<SessionId>> {
    const sessions: Array<SessionId> = []
    for (let tries = 0; tries < 60 * count && sessions.length < count; tries++) {
      const session = await this.open(by)
      if (await owner.owns(session)) sessions.push(session)
    }
    if (sessions.length < count) throw new Error("The node owns too few sessions")
    return sessions
  }

  /** Shards settle some time after a node came: each node owns some, and has owned the same for so long. */
  async settled(nodes: ReadonlyArray<NodeProcess>, unchangedMs = 0): Promise<void> {
    const sessions = Array.from({ length: 40 }, () => mintId(this.random, "Session"))
    let before = ""
    let since = performance.now()
    await eventually(async () => {
      const owners = await Promise.all(
        sessions.map(async (session) => (await Promise.all(nodes.map((node) => node.owns(session)))).indexOf(true))
      )
      if (owners.join() !== before) since = performance.now()
      before = owners.join()
      const isShared = !owners.includes(-1) && new Set(owners).size === nodes.length
      return isShared && performance.now() - since >= unchangedMs
    }, "every node owns shards")
  }

  /** Sends updates one after the other, and records how each was answered. */
  keepUpdating(by: NodeProcess, session: SessionId, everyMs = 10) {
    const accepted: Array<{ readonly seq: number; readonly at: number }> = []
    const failed: Array<string> = []
    let on = true
    const run = (async () => {
      for (let n = 0; on; n++) {
        const command = this.command({ _tag: "Update", title: `title ${n}` })
        try {
          const answer = await by.command(session, command)
          if (answer.error === undefined) accepted.push({ seq: answer.ok.seq, at: performance.now() })
          else failed.push(answer.error.text)
        } catch (error) {
          failed.push(String(error))
        }
        await sleep(everyMs)
      }
    })()
    const stop = async () => {
      on = false
      await run
    }
    /** How long after `since` the first answer came that was given after it. */
    const firstAfter = async (since: number, withinMs = 60_000) => {
      await eventually(async () => accepted.some(({ at }) => at > since + 5), "an answer after the trouble", withinMs)
      return accepted.find(({ at }) => at > since + 5)!.at - since
    }
    return { accepted, failed, stop, firstAfter }
  }
}
