import type { EventId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { BuiltInTool, ToolConfig } from "@troupe/domain/tools/Toolset"
import { type Effect, Schema, type Scope } from "effect"
import type { Tool, ToolFailure, ToolOutput } from "../Tool.ts"
import type { ToolSpec } from "../ToolCalls.ts"

/** A tool of ours before an agent's configuration and a session's place are known. */
export interface BuiltIn<Input> {
  readonly name: BuiltInTool
  /** What a model reads: what it does, what it gives back, what to look out for. */
  readonly description: string
  readonly schema: Schema.Codec<Input, unknown>
  readonly inputSchema: JsonObject
  readonly executor: "sandbox" | "function"
  readonly readOnly: boolean
  readonly idempotent: boolean
  readonly paths?: ReadonlyArray<string>
  readonly scripts?: ReadonlyArray<string>
  readonly timeoutMs: (input: Input) => number
  readonly changes?: (input: Input) => string | null
  /** Told which call it is, for those who work for it. */
  readonly run: (
    input: Input,
    config: ToolConfig,
    callId: EventId
  ) => Effect.Effect<ToolOutput, ToolFailure, Scope.Scope>
}

/** The gateway has held the input against the JSON Schema, which says the same as the codec. */
export const toTool = <Input>(builtIn: BuiltIn<Input>, config: ToolConfig): Tool => {
  const { changes = () => null, description, executor, idempotent, inputSchema, name, readOnly } = builtIn
  const decode = Schema.decodeUnknownSync(builtIn.schema)
  const spec: ToolSpec = { name, server: null, description, inputSchema, readOnly, idempotent }
  return {
    spec,
    executor,
    policy: config.permission_policy,
    paths: builtIn.paths ?? [],
    scripts: builtIn.scripts ?? [],
    timeoutMs: (input) => builtIn.timeoutMs(decode(input)),
    changes: (input) => changes(decode(input)),
    run: (input, callId) => builtIn.run(decode(input), config, callId)
  }
}

/** An object of these properties and no others, as JSON Schema. */
export const objectSchema = (properties: Record<string, JsonObject>, required: ReadonlyArray<string>): JsonObject => ({
  type: "object",
  properties,
  required,
  additionalProperties: false
})
