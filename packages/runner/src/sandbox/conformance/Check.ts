import { Effect, Schema, type Scope } from "effect"
import type { BackendProbe, Isolation, Sandbox, SandboxBackend, SandboxError, SandboxSpec } from "../Sandbox.ts"
import type { Home, SandboxHomeError } from "../SandboxHome.ts"

/**
 * What a check is about. `running` is promised by every backend in which something runs; `isolation` by those that say they
 * isolate; the rest by those whose probe says so on this host.
 */
export const subjects = [
  "running",
  "isolation",
  "cpus",
  "memory",
  "disk",
  "processes",
  "network",
  "terminal",
  "absent"
] as const
export type Subject = (typeof subjects)[number]

export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

export interface Made {
  readonly sandbox: Sandbox
  readonly home: Home
}

/** What checks try a backend with. */
export interface Bench {
  readonly backend: SandboxBackend
  readonly probe: BackendProbe
  /** The runner's own state, as root or the runner's user sees it. */
  readonly directory: string
  readonly make: (other?: Partial<SandboxSpec>) => Effect.Effect<Made, SandboxError | SandboxHomeError, Scope.Scope>
}

/** One promise, and how it is tried. */
export interface Check {
  readonly name: string
  readonly subject: Subject
  readonly run: (bench: Bench) => Effect.Effect<void, CheckFailed | SandboxError | SandboxHomeError, Scope.Scope>
}

export const check = (subject: Subject, name: string, run: Check["run"]): Check => ({ name, subject, run })

/** Fails with the sentence and what was found, unless the condition holds. */
export const holds = (condition: boolean, sentence: string, found?: unknown): Effect.Effect<void, CheckFailed> =>
  condition
    ? Effect.void
    : Effect.fail(new CheckFailed({ detail: found === undefined ? sentence : `${sentence}; found ${show(found)}` }))

export const equals = (actual: unknown, expected: unknown, what: string): Effect.Effect<void, CheckFailed> =>
  holds(JSON.stringify(actual) === JSON.stringify(expected), `${what} should be ${show(expected)}`, actual)

/** The error of what should be refused. */
export const refusal = <A, R>(effect: Effect.Effect<A, SandboxError, R>): Effect.Effect<SandboxError, CheckFailed, R> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.fail(new CheckFailed({ detail: "what should have been refused was done" }))
  })

const show = (value: unknown) =>
  typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? "nothing")

const isolates = (isolation: Isolation) => isolation === "namespaces" || isolation === "container"

/** Whether the backend promises it, by what it declares and by what its probe found on this host. */
export const isPromised = (
  { subject }: Pick<Check, "subject">,
  { isolation }: Pick<SandboxBackend, "isolation">,
  probe: Pick<BackendProbe, "terminal" | "network" | "limits">
): boolean => {
  if (isolation === "absent") return subject === "absent"
  switch (subject) {
    case "absent":
      return false
    case "running":
      return true
    case "isolation":
      return isolates(isolation)
    case "network":
      return isolates(isolation) && probe.network
    case "terminal":
      return probe.terminal
    default:
      return probe.limits[subject] !== null
  }
}
