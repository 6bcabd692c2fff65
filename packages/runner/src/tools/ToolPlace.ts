import type { BlobRef } from "@troupe/domain/session/Content"
import { type Effect, Schema, type Scope } from "effect"
import type { ExecRequest, Isolation, Process, SandboxError } from "../sandbox/Sandbox.ts"
import type { SafeDirectory } from "../workingcopy/SafeDirectory.ts"
import type { Shell } from "./shell/Shell.ts"
import type { OpenSpill } from "./Spill.ts"

/** A directory that the session has, as tools reach it from outside of the sandbox. */
export interface PlaceMount {
  /** What processes in the sandbox call it. */
  readonly target: string
  readonly directory: SafeDirectory
  readonly readOnly: boolean
}

/** Content that is too large for an event could not be kept anywhere else. */
export class BlobUnavailable extends Schema.TaggedError<BlobUnavailable>()("BlobUnavailable", {
  detail: Schema.String
}) {
  override get message() {
    return `Large content can't be stored: ${this.detail}`
  }
}

/** What tools need of a session's place on this runner. It outlives attempts, as the session's shell does. */
export interface ToolPlace {
  readonly backend: string
  readonly isolation: Isolation
  /** Makes the sandbox at first need. */
  readonly exec: (request: ExecRequest) => Effect.Effect<Process, SandboxError, Scope.Scope>
  readonly shell: Shell
  /** What the session sees of the host, longest target first. */
  readonly mounts: ReadonlyArray<PlaceMount>
  /** The target of the working copy: where relative paths begin. */
  readonly workspace: string
  /** Where what is too long for an answer goes. */
  readonly spill: OpenSpill
  readonly putBlob: (bytes: Uint8Array, mediaType: string) => Effect.Effect<BlobRef, BlobUnavailable>
}
