import type { WorkspaceId } from "@troupe/domain/Ids"
import type { Command } from "@troupe/domain/session/SessionCommand"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { compiled } from "../../../../test/support/compiled.ts"
import type { CrashPoint } from "../../src/session/CrashPoints.ts"
import { apiKey } from "./apiKey.ts"
import { eventsOf, type SentEvent } from "./sentEvents.ts"

export interface ReadyLine {
  readonly gateway: string
  readonly node: string
}

export type SeenLine = { readonly at: number } & (
  | { readonly events: ReadonlyArray<{ readonly seq: number; readonly eventId: string; readonly epoch: number }> }
  | { readonly delta: { readonly blockId: string; readonly offset: number; readonly text: string } }
  /** It ended in order, and was not cut off. */
  | { readonly end: true }
)

export type Answer<A> =
  | { readonly ok: A; readonly error?: undefined }
  | { readonly ok?: undefined; readonly error: { readonly tag: string; readonly text: string } }

/** What a reader got over its life, with its own record of what was wrong with it. */
export interface Watching {
  readonly seqs: Array<number>
  readonly trouble: Array<string>
  readonly lines: Array<SeenLine>
  readonly ended: Promise<void>
  readonly stop: () => void
}

const main = join(import.meta.dirname, "node-main.ts")

/** A node in a process of its own, to be killed, frozen and told to stop like a real one. */
export class NodeProcess {
  readonly pid: number
  readonly gateway: string
  readonly address: string
  readonly startedInMs: number
  readonly output: Array<string>
  /** The process is gone, for whatever reason. */
  readonly exited: Promise<void>
  private readonly child: ChildProcess

  private constructor(child: ChildProcess, ready: ReadyLine, startedInMs: number, output: Array<string>) {
    this.child = child
    this.exited = once(child, "exit").then(() => undefined)
    this.pid = child.pid!
    this.gateway = ready.gateway
    this.address = ready.node
    this.startedInMs = startedInMs
    this.output = output
  }

  static async start(env: Readonly<Record<string, string>>): Promise<NodeProcess> {
    const begun = performance.now()
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env["PATH"] ?? "",
        ...compiled,
        TROUPE_PORT: "0",
        TROUPE_HOME: "/nonexistent",
        TROUPE_API_KEY: apiKey,
        ...env
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const output: Array<string> = []
    const lines = createInterface({ input: child.stdout! })
    createInterface({ input: child.stderr! }).on("line", (line) => output.push(line))
    const ready = await new Promise<ReadyLine>((resolve, reject) => {
      lines.on("line", (line) => {
        if (line.startsWith(`{"gateway"`)) resolve(JSON.parse(line) as ReadyLine)
        else output.push(line)
      })
      child.once("exit", (code, signal) =>
        reject(new Error(`The node ended with ${signal ?? code}:\n${output.join("\n")}`))
      )
    })
    return new NodeProcess(child, ready, performance.now() - begun, output)
  }

  hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  signal(signal: NodeJS.Signals): void {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(this.pid, signal)
  }

  /** Sends the signal and waits for the end of the process. */
  async end(signal: NodeJS.Signals): Promise<number> {
    const begun = performance.now()
    if (this.child.exitCode !== null || this.child.signalCode !== null) return 0
    const exit = once(this.child, "exit")
    this.signal("SIGCONT")
    this.signal(signal)
    await exit
    return performance.now() - begun
  }

  async command(
    session: string,
    command: Command
  ): Promise<Answer<{ readonly seq: number; readonly version: number }>> {
    return await this.json(`/test/command?session=${session}`, { method: "POST", body: JSON.stringify(command) })
  }

  async current(session: string): Promise<Answer<{ readonly epoch: number; readonly version: number }>> {
    return await this.json(`/test/current?session=${session}`)
  }

  async owns(session: string): Promise<boolean> {
    return (await this.json<boolean>(`/test/owns?session=${session}`)).ok === true
  }

  /** It freezes as soon as it comes by this point. */
  async freezeAt(point: CrashPoint): Promise<void> {
    await this.json(`/test/freeze?at=${point}`, { method: "POST" })
  }

  async ready(): Promise<boolean> {
    return (await fetch(`${this.gateway}/readyz`)).status === 200
  }

  /** Asks the API, as any client does. A body is posted. */
  async api<A>(path: string, body?: object): Promise<A> {
    const response = await fetch(`${this.gateway}/v1${path}`, {
      headers: { "x-api-key": apiKey, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
    })
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as A
  }

  /** The workspace of the key that readers come with. */
  async workspace(): Promise<WorkspaceId> {
    return (await this.api<{ readonly workspace: { readonly id: WorkspaceId } }>("/me")).workspace.id
  }

  /** Follows a session as readers of this node do, whoever owns it. */
  watch(session: string, after: number): Watching {
    const abort = new AbortController()
    const lines: Array<SeenLine> = []
    const seqs: Array<number> = []
    const trouble: Array<string> = []
    const take = ({ data, event }: SentEvent) => {
      const at = Date.now()
      if (event === "delta") {
        const { event_id: blockId, offset, text } = data
        lines.push({ at, delta: { blockId, offset, text } })
        return
      }
      const { epoch, id: eventId, seq } = data
      const expected = (seqs[seqs.length - 1] ?? after) + 1
      if (seq !== expected) trouble.push(`${seq} came where ${expected} was due`)
      seqs.push(seq)
      lines.push({ at, events: [{ seq, eventId, epoch }] })
    }
    const run = async () => {
      const response = await fetch(`${this.gateway}/v1/sessions/${session}/log/stream?deltas=true&after=${after}`, {
        headers: { "x-api-key": apiKey },
        signal: abort.signal
      })
      if (response.status !== 200) return
      for await (const event of eventsOf(response)) take(event)
      lines.push({ at: Date.now(), end: true })
    }
    const ended = run().catch(() => undefined)
    return { seqs, trouble, lines, ended, stop: () => abort.abort() }
  }

  private async json<A>(path: string, init?: RequestInit): Promise<Answer<A>> {
    const response = await fetch(`${this.gateway}${path}`, { ...init, signal: AbortSignal.timeout(30_000) })
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Answer<A>
  }
}
