import type {
  Captured,
  ExecOutput,
  ExecRequest,
  FileChange,
  FileContent,
  HostDirectory,
  PlaceRef,
  Restored,
  RestoreRequest,
  TerminalOutput,
  TerminalSize,
  WorkplaceError
} from "@troupe/domain/runner/Workplace"
import type { TreeChange } from "@troupe/domain/runner/Checkpoint"
import type { Expected, FileInfo, FilePage } from "@troupe/domain/runner/Files"
import type { HostDirectoryUse } from "@troupe/domain/session/HostDirectory"
import type { SessionId } from "@troupe/domain/Ids"
import { Context, type Effect, type Stream } from "effect"

type Does<A> = Effect.Effect<A, WorkplaceError>
type Gives<A> = Stream.Stream<A, WorkplaceError>

/** A call about a session's place, with what else it says. */
type At<Fields = unknown> = { readonly place: PlaceRef } & Fields

type Path = { readonly path: string }
type Terminal = { readonly terminalId: string }

/** The places of sessions on this host: what nodes ask of them. Whoever calls was found to be their newest owner. */
export class WorkplaceHost extends Context.Service<
  WorkplaceHost,
  {
    readonly Exec: (call: ExecRequest) => Gives<ExecOutput>
    readonly OpenTerminal: (
      call: At<{ readonly size: typeof TerminalSize.Type; readonly cwd: string | null }>
    ) => Does<Terminal>
    readonly ReadTerminal: (call: At<Terminal & { readonly after: number }>) => Gives<TerminalOutput>
    readonly WriteTerminal: (call: At<Terminal & { readonly bytes: Uint8Array }>) => Does<void>
    readonly ResizeTerminal: (call: At<Terminal & { readonly size: typeof TerminalSize.Type }>) => Does<void>
    readonly CloseTerminal: (call: At<Terminal>) => Does<void>
    readonly ListFiles: (call: At<Path & { readonly after: string | null; readonly limit: number }>) => Does<FilePage>
    readonly ReadFile: (
      call: At<Path & { readonly offset: number; readonly length: number | null }>
    ) => Gives<Uint8Array>
    readonly WriteFile: (
      call: At<Path & { readonly content: typeof FileContent.Type; readonly expected: Expected | null }>
    ) => Does<FileInfo>
    readonly DeleteFile: (call: At<Path & { readonly recursive: boolean }>) => Does<void>
    readonly WatchFiles: (call: At<Path>) => Gives<FileChange>
    readonly Diff: (call: At<{ readonly from: string | null; readonly to: string | null }>) => Gives<TreeChange>
    readonly Capture: (call: At) => Does<Captured>
    readonly Restore: (call: RestoreRequest) => Does<typeof Restored.Type>
    readonly Destroy: (call: At<{ readonly reason: string }>) => Does<void>
    readonly Browse: (call: { readonly path: string | null }) => Does<ReadonlyArray<typeof HostDirectory.Type>>
    readonly RegisterDirectory: (
      call: Path & { readonly use: typeof HostDirectoryUse.Type }
    ) => Does<typeof HostDirectory.Type>
    /** The sessions that have a place here. */
    readonly places: Effect.Effect<ReadonlyArray<SessionId>>
  }
>()("runner/WorkplaceHost") {}
