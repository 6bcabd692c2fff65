import type { EventId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { ToolEntry } from "@troupe/domain/tools/Toolset"
import { Effect } from "effect"
import { say, ToolFailure, type ToolOutput } from "../tools/Tool.ts"
import type { ToolPlace } from "../tools/ToolPlace.ts"
import type { McpError } from "./McpError.ts"
import type { McpListing } from "./McpListing.ts"
import type { McpServer } from "./McpServer.ts"
import type { McpTurn } from "./McpTurn.ts"

export type McpToolset = Extract<ToolEntry, { readonly _tag: "Mcp" }>

export interface McpToolParts {
  readonly server: McpServer
  /** Frozen: what the server says later is for a later turn. */
  readonly listing: McpListing
  readonly toolset: McpToolset
  readonly place: Pick<ToolPlace, "spill">
  readonly people: McpTurn["people"]
}

/** One of a server's tools before its configuration is known. */
export interface McpOffer {
  /** As the agent's toolset names it. */
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
  readonly readOnly: boolean
  readonly idempotent: boolean
  readonly run: (input: JsonObject, callId: EventId) => Effect.Effect<ToolOutput, ToolFailure>
}

const nothingDone: ReadonlySet<McpError["reason"]> = new Set(["refused", "unauthorized", "sandbox", "session"])

/** What a model reads. Whether the server did what it was asked is known only where it never got to it, or said so. */
export const failed = (error: McpError, details: JsonObject): Effect.Effect<ToolOutput, ToolFailure> => {
  const { reason, server, status } = error
  const found = { ...details, reason, status }
  const doubt =
    nothingDone.has(reason) || reason === "protocol"
      ? ""
      : " Whether the call was carried out is not known. Check before you repeat it."
  const message = `${error.message}.${doubt}`
  return reason === "timed_out"
    ? Effect.succeed({ ...say(message, found), outcome: "timed_out" })
    : Effect.fail(new ToolFailure({ message, details: { ...found, server } }))
}
