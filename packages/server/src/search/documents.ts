import type { Highlight } from "@troupe/domain/api/Search"
import type { Content } from "@troupe/domain/session/Content"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"

export interface Document {
  readonly field: Highlight["field"]
  readonly name: string
  /** The public id of what was said. */
  readonly eventId: string | null
  readonly text: string
}

interface Said {
  readonly documents: ReadonlyArray<Document>
  /** What these stand in the place of; a null name: all of the field. */
  readonly replaced: ReadonlyArray<{ readonly field: Highlight["field"]; readonly name: string | null }>
}

/** The events that matter here. */
export const told: ReadonlySet<string> = new Set([
  "SessionOpened",
  "SessionUpdated",
  "MessageReceived",
  "TurnEdited",
  "MessageBlock",
  "RedactionRequested",
  "SessionDeleted"
] satisfies ReadonlyArray<SessionEvent["_tag"]>)

/** Of a longer text the beginning is searched: the index has a bound for each. */
const textMax = 100_000

/** Marks of highlights are controls, so texts have none. */
// oxlint-disable-next-line no-control-regex
const plain = (text: string): string => text.slice(0, textMax).replaceAll(/[\u0000-\u0008\u000e-\u001f]/g, " ")

const textOf = (content: Content): string =>
  content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n")

const document = (
  field: Highlight["field"],
  text: string,
  more: { readonly name?: string; readonly eventId?: string } = {}
): ReadonlyArray<Document> => {
  const words = plain(text)
  return words.trim() === "" ? [] : [{ field, name: more.name ?? "", eventId: more.eventId ?? null, text: words }]
}

const metadataOf = (metadata: Readonly<Record<string, string>>) =>
  Object.entries(metadata).flatMap(([name, value]) => document("metadata", `${name} ${value}`, { name }))

const labelsOf = (labels: ReadonlyArray<string>) =>
  [...new Set(labels)].flatMap((name) => document("label", name, { name }))

const nothing: Said = { documents: [], replaced: [] }

/** What an event lets its session be found by. */
export const documentsOf = (event: SessionEvent): Said => {
  switch (event._tag) {
    case "SessionOpened":
      return {
        documents: [...document("title", event.title ?? ""), ...metadataOf(event.metadata), ...labelsOf(event.labels)],
        replaced: []
      }
    case "SessionUpdated": {
      const { labels, metadata, title } = event
      return {
        documents: [...document("title", title ?? ""), ...metadataOf(metadata ?? {}), ...labelsOf(labels ?? [])],
        replaced: [
          ...(title === undefined ? [] : [{ field: "title" as const, name: null }]),
          ...(metadata === undefined ? [] : [{ field: "metadata" as const, name: null }]),
          ...(labels === undefined ? [] : [{ field: "label" as const, name: null }])
        ]
      }
    }
    case "MessageReceived":
      return {
        ...nothing,
        documents: document("user_message", textOf(event.content), { name: event.turnId, eventId: event.inputId })
      }
    case "TurnEdited":
      return event.content === undefined
        ? nothing
        : {
            documents: document("user_message", textOf(event.content), { name: event.turnId }),
            replaced: [{ field: "user_message", name: event.turnId }]
          }
    case "MessageBlock":
      return { ...nothing, documents: document("agent_message", textOf(event.content), { eventId: event.blockId }) }
    default:
      return nothing
  }
}

/** What an event takes out: some events of its session, all of them (null), or nothing (undefined). */
export const takenOut = (event: SessionEvent): ReadonlyArray<number> | null | undefined => {
  if (event._tag === "SessionDeleted") return null
  return event._tag === "RedactionRequested" ? event.seqs : undefined
}
