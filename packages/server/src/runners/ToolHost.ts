import type { AttemptId, EventId, SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { Content } from "@troupe/domain/session/Content"
import type { ErrorInfo } from "@troupe/domain/session/Status"
import { Context, Effect, Layer } from "effect"

export interface PlatformCall {
  readonly workspaceId: WorkspaceId
  readonly sessionId: SessionId
  readonly threadId: ThreadId
  readonly attemptId: AttemptId
  readonly callId: EventId
  readonly tool: string
  readonly input: Json
}

export type PlatformResult =
  | { readonly _tag: "Result"; readonly content: Content; readonly isError: boolean }
  | { readonly _tag: "Refused"; readonly error: ErrorInfo }

/** Tools that nodes run, by name. Each call comes once, whatever breaks on the way. */
export class ToolHost extends Context.Service<
  ToolHost,
  { readonly call: (call: PlatformCall) => Effect.Effect<PlatformResult> }
>()("server/ToolHost") {
  /** A platform without tools. */
  static readonly layerEmpty = Layer.succeed(
    ToolHost,
    ToolHost.of({
      call: ({ tool }) =>
        Effect.succeed({
          _tag: "Refused",
          error: { code: "unknown_platform_tool", message: `There is no platform tool ${tool}` }
        })
    })
  )
}
