import { fork, type ChildProcess } from "node:child_process"

/**
 * Somebody who is measured, in a process of its own: no one's heap, timers or garbage is another's. It answers requests
 * (see `serve.ts`) and rests between them.
 */
export class Contender {
  static async start(
    file: URL,
    options: {
      readonly env?: Readonly<Record<string, string>>
      readonly execArgv?: ReadonlyArray<string>
      readonly signal?: AbortSignal
    } = {}
  ): Promise<Contender> {
    const child = fork(file, [], {
      env: { ...process.env, NODE_NO_WARNINGS: "1", ...options.env },
      execArgv: [...(options.execArgv ?? [])],
      stdio: ["ignore", "inherit", "inherit", "ipc"]
    })
    const contender = new Contender(child)
    await contender.request("ready")
    return contender
  }

  readonly child: ChildProcess
  #next = 0
  #ended: Error | undefined
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()

  private constructor(child: ChildProcess) {
    this.child = child
    child.on("message", (message: { id: number; value?: never; error?: string }) => {
      const waiting = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.error === undefined) waiting?.resolve(message.value!)
      else waiting?.reject(new Error(message.error))
    })
    child.on("exit", (code, signal) => {
      this.#ended = new Error(`${child.spawnargs.at(-1)} ended (${signal ?? code})`)
      for (const { reject } of this.#waiting.values()) reject(this.#ended)
    })
  }

  request<A>(action: string, input: unknown = {}): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended)
      const id = this.#next++
      this.#waiting.set(id, { resolve, reject })
      this.child.send({ id, action, input })
    })
  }

  /** Asks it to end, and makes sure. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise((resolve) => this.child.once("exit", resolve))
    this.request("stop").catch(() => undefined)
    const forced = setTimeout(() => this.child.kill("SIGKILL"), 10_000)
    await gone
    clearTimeout(forced)
  }
}
