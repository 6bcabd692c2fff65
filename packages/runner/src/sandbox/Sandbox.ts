import type { SandboxSize } from "@troupe/domain/environment/EnvironmentConfig"
import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import { type Effect, Schema, type Scope, type Stream } from "effect"

/** Where things are inside of every sandbox that isolates. */
export const places = {
  workspace: "/workspace",
  uploads: "/mnt/session/uploads",
  outputs: "/mnt/session/outputs"
} as const

/** Where programs inside find the way out, when there is one: the unix socket itself, and a port on loopback that leads to it. */
export const egress = { host: "127.0.0.1", port: 3_128, socket: "/run/troupe/egress.sock" } as const

/** A directory or file of the host that the sandbox sees under `target`. The host's path is ours: no agent chose it. */
export interface Mount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** Lies in a directory that programs of the sandbox may fill: it is there only while it is a file or directory itself. */
  readonly inner?: true
}

/** `Proxied`: the one way out is the egress proxy, behind a unix socket of the host that knows this sandbox. */
export type NetworkAccess = { readonly _tag: "None" } | { readonly _tag: "Proxied"; readonly socket: string }

/** Everything a backend needs to make a sandbox. Nothing of the host gets in that is not named here. */
export interface SandboxSpec {
  readonly sandboxId: SandboxId
  readonly sessionId: SessionId
  /** Of the runner's own choosing: holds what the backend keeps on disk for this sandbox. */
  readonly home: string
  readonly mounts: ReadonlyArray<Mount>
  readonly size: SandboxSize
  readonly network: NetworkAccess
  /** The whole environment of every process, but for what one exec adds. */
  readonly variables: Readonly<Record<string, string>>
  /** Of backends that run images. */
  readonly image: string | null
}

export type OutputChunk = { readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }

/**
 * How a process ended. `Signalled` follows the convention of shells, 128 and the number of the signal, which is all that some
 * backends learn. `Killed`: by us, and why.
 */
export type Ending =
  | { readonly _tag: "Exited"; readonly code: number }
  | { readonly _tag: "Signalled"; readonly signal: string }
  | { readonly _tag: "TimedOut"; readonly afterMs: number }
  | { readonly _tag: "OutOfMemory" }
  | { readonly _tag: "OutOfDisk" }
  | { readonly _tag: "Killed"; readonly reason: string }

export interface ExecRequest {
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** In or below one of the mounts or `/tmp`, as `places` have it in every backend; the workspace where absent. */
  readonly cwd?: string
  readonly variables?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** A pseudo-terminal of this size: its output is all `stdout`. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
  /** Whether input will be written; without it, the process reads an end of file. */
  readonly input?: boolean
}

/** A process in a sandbox. When its scope closes, it and everything it started are dead. */
export interface Process {
  /** For one reader. What is not read makes the process wait, and no buffer grow. Ends after the process has. */
  readonly output: Stream.Stream<OutputChunk>
  readonly ending: Effect.Effect<Ending>
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, SandboxError>
  readonly closeInput: Effect.Effect<void>
  readonly resize: (columns: number, rows: number) => Effect.Effect<void>
  /** To the process and all it started. */
  readonly signal: (signal: "SIGINT" | "SIGTERM" | "SIGKILL") => Effect.Effect<void>
}

export interface Sandbox {
  readonly spec: SandboxSpec
  readonly backend: string
  readonly isolation: Isolation
  readonly exec: (request: ExecRequest) => Effect.Effect<Process, SandboxError, Scope.Scope>
  /** Ends every process, and takes everything away but the mounted directories. */
  readonly destroy: Effect.Effect<void>
}

/** `none`: what runs there can do what the runner's user can. `absent`: nothing runs there. */
export const Isolation = Schema.Literals(["namespaces", "container", "none", "absent"])
export type Isolation = typeof Isolation.Type

/** What a backend can do on this host, found out by trying. */
export interface BackendProbe {
  readonly usable: boolean
  /** Why it is not usable, or what it can't do here, in words for whoever runs the host. */
  readonly notes: ReadonlyArray<string>
  readonly version: string | null
  readonly terminal: boolean
  readonly network: boolean
  /** Which limits hold, by what: `cgroup v1`, `cgroup v2`, `rlimit`, `polling`, or null where nothing does. */
  readonly limits: Readonly<Record<"cpus" | "memory" | "disk" | "processes", string | null>>
  /** It is still being tried for the first time: whoever asks again soon hears what came of it. */
  readonly unfinished?: true
}

export interface SandboxBackend {
  readonly name: string
  readonly isolation: Isolation
  readonly probe: Effect.Effect<BackendProbe>
  readonly create: (spec: SandboxSpec) => Effect.Effect<Sandbox, SandboxError>
  /** The sandbox that a runner before this one made, without its processes; fails with `Gone` where there is nothing left. */
  readonly resume: (spec: SandboxSpec) => Effect.Effect<Sandbox, SandboxError>
}

export const SandboxTrouble = Schema.TaggedUnion({
  /** This backend can't work on this host. */
  Unusable: { detail: Schema.String },
  /** This environment lets nothing run. */
  NothingRuns: {},
  Gone: { detail: Schema.String },
  /** What was asked can't be meant: a path outside, a NUL byte, an empty command. */
  BadRequest: { field: Schema.String, detail: Schema.String },
  Limit: { limit: Schema.String, detail: Schema.String },
  Failed: { detail: Schema.String }
})

export class SandboxError extends Schema.TaggedError<SandboxError>()("SandboxError", {
  backend: Schema.String,
  reason: SandboxTrouble,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    const { reason } = this
    if (reason._tag === "NothingRuns") return `In the sandbox ${this.backend} nothing runs: there are files alone`
    const detail = "detail" in reason ? `: ${reason.detail}` : ""
    return `${this.backend}: ${reason._tag}${detail}`
  }
}
