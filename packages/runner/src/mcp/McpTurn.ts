import type { EventId, SessionId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { ReservedEvent } from "@troupe/domain/session/SessionEvent"
import type { ToolProblem } from "@troupe/domain/tools/Toolset"
import type { Effect } from "effect"
import type { Tool } from "../tools/Tool.ts"
import type { ToolPlace } from "../tools/ToolPlace.ts"
import type { McpPeople } from "./McpPeople.ts"

/** What a turn brings along for its MCP servers. */
export interface McpTurn {
  readonly sessionId: SessionId
  /** The entries of the agent, or what the turn has in their place. */
  readonly servers: ReadonlyArray<JsonObject>
  readonly tools: ReadonlyArray<JsonObject>
  readonly place: ToolPlace
  /** The newest value of a secret, by its name. */
  readonly secret: (name: string) => Effect.Effect<string | null>
  /** Asks for a newer value of a secret that did not work; null where there is none. */
  readonly refresh: (name: string) => Effect.Effect<string | null>
  /** Whom a call of this id may turn to while it runs. */
  readonly people: (callId: EventId) => McpPeople
  /** Takes what people should know. */
  readonly noted: (event: PlatformNoted) => Effect.Effect<void>
  /** Takes known secrets out of a text. */
  readonly scrub: (text: string) => string
}

export type PlatformNoted = Extract<typeof ReservedEvent.Type, { readonly _tag: "PlatformNoted" }>

export interface McpTurnTools {
  readonly tools: ReadonlyArray<Tool>
  readonly problems: ReadonlyArray<ToolProblem>
}
