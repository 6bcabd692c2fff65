import { Option, Schema } from "effect"

/** How the work on one message ended. */
export type Outcome =
  | { readonly _tag: "Completed" }
  | { readonly _tag: "Failed" }
  /** Somebody has to allow a call, or to give a result. */
  | { readonly _tag: "Waits" }
  | { readonly _tag: "BudgetReached" }

const TextBlock = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
const isText = Schema.is(TextBlock)
const Content = Schema.Array(Schema.Unknown)

const Seen = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("event_delta"),
    event_id: Schema.String,
    delta: Schema.Struct({ content: TextBlock })
  }),
  Schema.Struct({ type: Schema.Literal("agent.message"), id: Schema.String, content: Content }),
  Schema.Struct({
    type: Schema.Literals(["agent.tool_use", "agent.mcp_tool_use", "agent.custom_tool_use"]),
    id: Schema.String,
    name: Schema.String,
    input: Schema.Unknown
  }),
  Schema.Struct({
    type: Schema.Literal("session.error"),
    id: Schema.String,
    error: Schema.Struct({ message: Schema.String })
  }),
  Schema.Struct({
    type: Schema.Literal("session.status_idle"),
    id: Schema.String,
    stop_reason: Schema.Struct({ type: Schema.String })
  }),
  Schema.Struct({ type: Schema.Literals(["session.status_terminated", "session.deleted"]), id: Schema.String })
])
const decode = Schema.decodeUnknownOption(Seen)

export interface Listener {
  readonly text: (piece: string) => void
  readonly tool: (name: string, input: unknown) => void
}

const outcomes: Readonly<Record<string, Outcome["_tag"]>> = {
  end_turn: "Completed",
  requires_action: "Waits",
  budget_reached: "BudgetReached"
}

/**
 * What a session says, told once however often it is heard: a stream that broke is followed by a list of what there is,
 * and what was told of a message already is not told again.
 */
export class Transcript {
  private readonly heard = new Set<string>()
  private readonly told = new Map<string, number>()
  private readonly listener: Listener
  private all = ""
  error: string | null = null

  constructor(listener: Listener) {
    this.listener = listener
  }

  get text(): string {
    return this.all
  }

  /** Answers how it ended, once it has. */
  take(event: unknown): Outcome | null {
    const seen = Option.getOrNull(decode(event))
    if (seen === null) return null
    if (seen.type === "event_delta") {
      if (!this.heard.has(seen.event_id)) this.tell(seen.event_id, seen.delta.content.text)
      return null
    }
    if (this.heard.has(seen.id)) return null
    this.heard.add(seen.id)
    switch (seen.type) {
      case "agent.message": {
        const whole = seen.content.flatMap((block) => (isText(block) ? [block.text] : [])).join("")
        this.tell(seen.id, whole.slice(this.told.get(seen.id) ?? 0))
        this.tell(seen.id, "\n")
        return null
      }
      case "session.error":
        this.error = seen.error.message
        return null
      case "session.status_idle":
        return { _tag: outcomes[seen.stop_reason.type] ?? "Failed" }
      case "session.status_terminated":
      case "session.deleted":
        return { _tag: "Failed" }
      default:
        this.listener.tool(seen.name, seen.input)
        return null
    }
  }

  private tell(id: string, piece: string): void {
    if (piece === "") return
    this.told.set(id, (this.told.get(id) ?? 0) + piece.length)
    this.all += piece
    this.listener.text(piece)
  }
}
