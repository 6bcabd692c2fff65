import type { EventOf, StreamedEvent } from "@troupe/client"

/** How the work on what was said ended. */
export type Outcome =
  | { readonly _tag: "Completed" }
  | { readonly _tag: "Failed" }
  /** Somebody has to allow a call, or to give a result. */
  | { readonly _tag: "Waits" }
  | { readonly _tag: "BudgetReached" }

export type ToolUse = EventOf<"agent.tool_use" | "agent.mcp_tool_use" | "agent.custom_tool_use">
export type ToolResult = EventOf<"agent.tool_result" | "agent.mcp_tool_result" | "user.tool_result">

/** Who is told what a session says. */
export interface Listener {
  readonly text: (piece: string) => void
  /** A message is told to its end. */
  readonly textEnds?: () => void
  readonly tool: (use: ToolUse) => void
  readonly result?: (toolUseId: string, result: ToolResult) => void
  /** Somebody outside gave the result. */
  readonly answer?: (toolUseId: string, answer: EventOf<"user.custom_tool_result">) => void
  readonly user?: (text: string, event: EventOf<"user.message">) => void
  readonly status?: (event: StreamedEvent) => void
}

/** Where the contract's word for an error says less than ours, ours stands beside it. */
const codeOf = (error: { readonly type: string; readonly troupe?: unknown }): string =>
  (error.troupe as { readonly code?: string } | undefined)?.code ?? error.type.replace(/_error$/, "")

const outcomes: Readonly<Record<string, Outcome["_tag"]>> = {
  end_turn: "Completed",
  requires_action: "Waits",
  budget_reached: "BudgetReached"
}

const textOf = (content: ReadonlyArray<{ readonly type: string }>): string =>
  content.flatMap((block) => (block.type === "text" ? [(block as { readonly text?: string }).text ?? ""] : [])).join("")

/**
 * What a session says, told once however often it is heard: a stream that broke is followed by a list of what there is,
 * and what was told of a message already is not told again.
 */
export class Transcript {
  readonly #heard = new Set<string>()
  readonly #told = new Map<string, number>()
  readonly #listener: Listener
  #all = ""
  error: string | null = null
  /** What kind of error it was, by our own word. */
  errorCode: string | null = null

  constructor(listener: Listener) {
    this.#listener = listener
  }

  get text(): string {
    return this.#all
  }

  /** Answers how it ended, once it has. */
  take(event: StreamedEvent): Outcome | null {
    if (event.type === "event_start") return null
    if (event.type === "event_delta") {
      if (!this.#heard.has(event.event_id)) this.#hear(event.event_id, event.delta.content.text)
      return null
    }
    // What waits to be taken up comes again once it is.
    if (this.#heard.has(event.id) || event.processed_at === null) return null
    this.#heard.add(event.id)
    switch (event.type) {
      case "agent.message":
        this.#message(event.id, textOf(event.content))
        return null
      case "agent.tool_use":
      case "agent.mcp_tool_use":
      case "agent.custom_tool_use":
        this.#listener.tool(event)
        return null
      case "agent.tool_result":
      case "user.tool_result":
        this.#listener.result?.(event.tool_use_id, event)
        return null
      case "agent.mcp_tool_result":
        this.#listener.result?.(event.mcp_tool_use_id, event)
        return null
      case "user.custom_tool_result":
        this.#listener.answer?.(event.custom_tool_use_id, event)
        return null
      case "user.message":
        this.#listener.user?.(textOf(event.content), event)
        return null
      case "session.error":
        this.error = event.error.message
        this.errorCode = codeOf(event.error)
        return null
      case "session.status_idle":
        this.#close()
        return { _tag: outcomes[event.stop_reason.type] ?? "Failed" }
      case "session.status_terminated":
      case "session.deleted":
        return { _tag: "Failed" }
      default:
        this.#listener.status?.(event)
        return null
    }
  }

  /** The message that is being told. Pieces of the next one may come before this one is said to be whole: they wait. */
  #open: string | null = null
  readonly #early = new Map<string, string>()

  #hear(id: string, piece: string): void {
    this.#open ??= id
    if (id === this.#open) this.#tell(id, piece)
    else this.#early.set(id, (this.#early.get(id) ?? "") + piece)
  }

  #message(id: string, text: string): void {
    // What was begun before is not said any more, such as by an attempt that was lost.
    if (this.#open !== id) this.#close()
    this.#early.delete(id)
    this.#open = id
    this.#tell(id, text.slice(this.#told.get(id) ?? 0))
    this.#close()
    const [next] = this.#early
    if (next === undefined) return
    this.#early.delete(next[0])
    this.#hear(...next)
  }

  /** Ends the message that is being told, wherever it is. */
  #close(): void {
    if (this.#open === null) return
    this.#tell(this.#open, "\n")
    this.#open = null
    this.#listener.textEnds?.()
  }

  #tell(id: string, piece: string): void {
    if (piece === "") return
    this.#told.set(id, (this.#told.get(id) ?? 0) + piece.length)
    this.#all += piece
    this.#listener.text(piece)
  }
}
