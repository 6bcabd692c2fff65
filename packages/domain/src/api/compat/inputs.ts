import { Result, Schema } from "effect"
import { EventId, FileId, type IdKind, OutcomeId, ThreadId, TurnId } from "../../Ids.ts"
import type { JsonObject } from "../../Json.ts"
import type { Content } from "../../session/Content.ts"
import type { Input } from "../../session/Input.ts"
import type { Call } from "../../session/SessionState.ts"
import { type ApiFailure, attempt, invalid, refuse } from "../ApiError.ts"
import { describe } from "../problems.ts"
import { MessageExtras } from "../Turns.ts"
import { contentIn } from "./content.ts"
import { overridesIn } from "./overrides.ts"

const nullish = <S extends Schema.Top>(field: S) => Schema.optionalKey(Schema.NullOr(field))
const Blocks = Schema.Array(Schema.Unknown).check(Schema.isMaxLength(1_000))
const someBlocks = Blocks.check(Schema.isMinLength(1))
const echoed = { session_thread_id: nullish(ThreadId) }

/** Characters of a rubric. */
export const rubricMax = 262_144

const shapes = {
  "user.message": Schema.Struct({
    type: Schema.Literal("user.message"),
    content: someBlocks,
    troupe: Schema.optionalKey(MessageExtras)
  }),
  "user.interrupt": Schema.Struct({ type: Schema.Literal("user.interrupt"), ...echoed }),
  "user.tool_confirmation": Schema.Struct({
    type: Schema.Literal("user.tool_confirmation"),
    tool_use_id: EventId,
    result: Schema.Literals(["allow", "deny"]),
    deny_message: nullish(Schema.String.check(Schema.isMaxLength(10_000))),
    ...echoed
  }),
  "user.custom_tool_result": Schema.Struct({
    type: Schema.Literal("user.custom_tool_result"),
    custom_tool_use_id: EventId,
    content: nullish(Blocks),
    is_error: nullish(Schema.Boolean),
    ...echoed
  }),
  "user.tool_result": Schema.Struct({
    type: Schema.Literal("user.tool_result"),
    tool_use_id: EventId,
    content: nullish(Blocks),
    is_error: nullish(Schema.Boolean),
    ...echoed
  }),
  "user.define_outcome": Schema.Struct({
    type: Schema.Literal("user.define_outcome"),
    description: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(100_000)),
    rubric: Schema.Union([
      Schema.Struct({ type: Schema.Literal("text"), content: Schema.String.check(Schema.isMaxLength(rubricMax)) }),
      Schema.Struct({ type: Schema.Literal("file"), file_id: FileId })
    ]),
    max_iterations: nullish(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })))
  }),
  "system.message": Schema.Struct({ type: Schema.Literal("system.message"), content: someBlocks })
}
type Shapes = typeof shapes
type Kind = keyof Shapes
type Sent = { readonly [K in Kind]: Shapes[K]["Type"] }[Kind]

const isKind = (type: unknown): type is Kind => typeof type === "string" && Object.hasOwn(shapes, type)

const read = (raw: JsonObject, at: string): Sent => {
  const { type } = raw
  if (!isKind(type)) {
    return refuse(`${at}.type: ${type === undefined ? "is missing" : "unknown event type"}; takes ${kinds.join(", ")}`)
  }
  const schema = shapes[type] as unknown as Schema.Codec<Sent>
  const result = Schema.decodeUnknownResult(schema)(raw, { errors: "all", onExcessProperty: "error" })
  if (Result.isFailure(result)) throw invalid(describe(result.failure, at))
  return result.success
}

const kinds = Object.keys(shapes)

export interface Reading {
  readonly mint: (kind: IdKind) => string
  /** What is still owed to a call, where that is known. */
  readonly awaits: (callId: string) => Call["awaits"] | undefined
}

const answerText = (content: Content): string =>
  content.map((block) => (block.type === "text" ? block.text : JSON.stringify(block))).join("\n")

const toolContent = ["text", "image", "document", "search_result"] as const

const toInput = (sent: Sent, at: string, { awaits, mint }: Reading, before?: Input): Input => {
  const inputId = EventId.make(mint("Event"))
  switch (sent.type) {
    case "user.message":
      return {
        _tag: "Message",
        inputId,
        turnId: TurnId.make(mint("Turn")),
        threadId: null,
        content: contentIn(sent.content, `${at}.content`, ["text", "image", "document"]),
        mode: "queue",
        overrides: overridesIn(sent.troupe?.overrides ?? {}),
        needsApproval: false
      }
    case "user.interrupt":
      return { _tag: "Interrupt", inputId, threadId: sent.session_thread_id ?? null }
    case "user.tool_confirmation": {
      const { deny_message, result, tool_use_id: callId } = sent
      if (result === "allow" && deny_message != null) refuse(`${at}.deny_message: is only taken with result deny`)
      const decision =
        result === "allow" ? { type: "allow_once" as const } : { type: "deny" as const, message: deny_message ?? null }
      return { _tag: "Confirmation", inputId, callId, decision }
    }
    case "user.custom_tool_result": {
      const callId = sent.custom_tool_use_id
      const content = contentIn(sent.content ?? [], `${at}.content`, toolContent)
      if (awaits(callId) === "answer") {
        const answer = sent.is_error === true ? null : answerText(content)
        return { _tag: "Answer", inputId, callId, answer }
      }
      return { _tag: "ToolResult", inputId, callId, content, isError: sent.is_error ?? false, executor: "client" }
    }
    case "user.tool_result": {
      const content = contentIn(sent.content ?? [], `${at}.content`, toolContent)
      const isError = sent.is_error ?? false
      return { _tag: "ToolResult", inputId, callId: sent.tool_use_id, content, isError, executor: "worker" }
    }
    case "user.define_outcome": {
      const { description, max_iterations, rubric } = sent
      const outcomeId = OutcomeId.make(mint("Outcome"))
      return { _tag: "Outcome", inputId, outcomeId, description, rubric, maxIterations: max_iterations ?? 3 }
    }
    case "system.message":
      return {
        _tag: "SystemMessage",
        inputId,
        content: contentIn(sent.content, `${at}.content`, ["text"]),
        ...(before === undefined ? {} : { follows: before.inputId })
      }
  }
}

const checkOrder = (events: ReadonlyArray<JsonObject>, at: string): void => {
  const systems = events.flatMap((event, index) => (event["type"] === "system.message" ? [index] : []))
  if (systems.length === 0) return
  if (systems.length > 1) refuse(`${at}.${systems[1]}: at most one system.message is taken in a request`)
  if (systems[0] !== events.length - 1) refuse(`${at}.${systems[0]}: a system.message comes last`)
  if (events.length === 1) refuse(`${at}.0: a system.message follows the user event that it belongs to`)
}

/** What a client sent, as inputs of the session. */
export const inputsOf = (
  events: ReadonlyArray<JsonObject>,
  reading: Reading
): Result.Result<ReadonlyArray<Input>, ApiFailure> =>
  attempt(() => {
    checkOrder(events, "events")
    const inputs: Array<Input> = []
    for (const [index, raw] of events.entries()) {
      const at = `events.${index}`
      inputs.push(toInput(read(raw, at), at, reading, inputs.at(-1)))
    }
    return inputs
  })

/** What a session may begin with: messages, and at most one outcome. */
export const initialInputsOf = (
  events: ReadonlyArray<JsonObject>,
  reading: Reading
): Result.Result<ReadonlyArray<Input>, ApiFailure> =>
  attempt(() => {
    for (const [index, { type }] of events.entries()) {
      if (type !== "user.message" && type !== "user.define_outcome") {
        refuse(`initial_events.${index}.type: takes user.message and user.define_outcome`)
      }
    }
    if (events.filter(({ type }) => type === "user.define_outcome").length > 1) {
      refuse("initial_events: at most one user.define_outcome is taken")
    }
    return events.map((raw, index) => {
      const at = `initial_events.${index}`
      return toInput(read(raw, at), at, reading)
    })
  })
