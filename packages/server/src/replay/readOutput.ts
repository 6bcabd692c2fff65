import { notFound } from "@troupe/domain/api/ApiError"
import type { SessionId, ThreadId, TurnId, WorkspaceId } from "@troupe/domain/Ids"
import type { Block } from "@troupe/domain/session/Content"
import type { EventOf } from "@troupe/domain/session/SessionEvent"
import { Effect, Option } from "effect"
import { BlobStore } from "../log/BlobStore.ts"
import { LoggedEvents, type LoggedPage } from "../sessions/LoggedEvents.ts"
import { turnEnd } from "../turns/startedTurns.ts"

const tags = ["MessageBlock"]
const pageSize = 200
const beyondAll = 2_147_483_647
/** How much text is answered with at most: of more, the last part. */
const charsMax = 16 * 1_048_576

const textOf = Effect.fnUntraced(function* (workspaceId: WorkspaceId, block: Block) {
  if (block.type === "text") return block.text
  if (block.type !== "blob" || !block.blob.mediaType.startsWith("text/")) return ""
  const blobs = yield* BlobStore
  const found = yield* Effect.orDie(blobs.get(workspaceId, block.blob.sha256))
  return Option.match(found, {
    onNone: () => block.blob.preview,
    onSome: ({ bytes }) => new TextDecoder().decode(bytes)
  })
})

/** Behind what a turn said last. One that goes on may have said something at the very end. */
const beginning = Effect.fnUntraced(function* (sessionId: SessionId, turn: TurnId | null) {
  if (turn === null) return beyondAll
  const end = yield* turnEnd(sessionId, turn)
  if (end === null) return yield* notFound(`Turn ${turn} was not found.`)
  return end === "open" ? beyondAll : end
})

export interface OutputQuery {
  readonly turn: TurnId | null
  readonly all: boolean
}

/**
 * What a session answered, as text: of a turn, what its last model request said. Of the primary thread alone, since others
 * speak to it and not to whoever asks.
 */
export const readOutput = Effect.fn("readOutput")(function* (
  sessionId: SessionId,
  workspaceId: WorkspaceId,
  primary: ThreadId,
  { all, turn }: OutputQuery
) {
  const logged = yield* LoggedEvents
  /** The blocks of the last request of each turn, the last one first. */
  const answers = new Map<TurnId, { readonly requestId: string; readonly blocks: Array<EventOf<"MessageBlock">> }>()
  let chars = 0

  /** Whether what comes before it may count as well. */
  const take = (event: EventOf<"MessageBlock">): boolean => {
    const { requestId, turnId } = event
    const known = answers.get(turnId)
    if (known === undefined) {
      if (!all && answers.size > 0) return false
      answers.set(turnId, { requestId, blocks: [event] })
    } else if (known.requestId === requestId) known.blocks.push(event)
    else return all
    chars += event.content.reduce((sum, block) => sum + (block.type === "text" ? block.text.length : 0), 0)
    return chars <= charsMax
  }

  let more = true
  for (let beyond: number | null = yield* beginning(sessionId, turn); more && beyond !== null;) {
    const page: LoggedPage = yield* logged.page(sessionId, { beyond, order: "desc", tags, limit: pageSize })
    beyond = page.next
    for (const { event } of page.events) {
      if (event._tag !== "MessageBlock" || event.threadId !== primary) continue
      if (turn !== null && event.turnId !== turn) {
        // Turns of a thread come one after the other: before what this one said there is no more of it.
        more = !answers.has(turn)
      } else more = take(event)
      if (!more) break
    }
  }
  const texts: Array<string> = []
  for (const { blocks } of answers.values()) {
    const parts: Array<string> = []
    for (const block of blocks.toReversed()) {
      for (const one of block.content) parts.push(yield* textOf(workspaceId, one))
    }
    texts.push(parts.join(""))
  }
  const whole = texts.toReversed().join("\n\n")
  return whole === "" || whole.endsWith("\n") ? whole : `${whole}\n`
})
