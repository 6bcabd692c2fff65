import { Effect } from "effect"
import { mcpLimits } from "./limits.ts"

/** What a server says beside its answers, in the runner's own log: bounded, one line each, without what is known to be secret. */
export class McpLog {
  private readonly server: string
  private readonly fork: (effect: Effect.Effect<void>) => void
  private readonly scrub: (text: string) => string
  private left = mcpLimits.logLinesMax

  constructor(server: string, fork: (effect: Effect.Effect<void>) => void, scrub: (text: string) => string) {
    this.server = server
    this.fork = fork
    this.scrub = scrub
  }

  readonly write = (level: string, text: string): void => {
    if (this.left < 0) return
    const line =
      this.left-- === 0
        ? "It says too much. The rest is not written down."
        : this.scrub(text.slice(0, mcpLimits.logLineLengthMax)).replaceAll(/\p{Cc}+/gu, " ")
    const annotations = { mcpServer: this.server, mcpLevel: level }
    this.fork(Effect.logDebug(line).pipe(Effect.annotateLogs(annotations)))
  }

  readonly clean = (text: string): string => this.scrub(text)
}
