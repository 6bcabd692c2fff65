import type { LogEvent } from "@troupe/client"

/** What an event is about, for its colour. */
export const kindOf = (type: string): "turn" | "model" | "tool" | "bad" | "person" | "other" => {
  if (/Failed$|Lost$|Troubled$|Interrupted$|Refused$/.test(type)) return "bad"
  if (
    /^(Message(Received|Taken)|SystemMessage|ToolConfirmed|ToolAnswered|QuestionAnswered|InterruptRequested)/.test(type)
  ) {
    return "person"
  }
  if (/^(Turn|Attempt|Retry|Steer)/.test(type)) return "turn"
  if (/^(ModelRequest|MessageBlock|Thinking|Context)/.test(type)) return "model"
  return type.startsWith("Tool") ? "tool" : "other"
}

const said = (value: unknown): string | null => {
  if (typeof value === "string") return value
  if (!Array.isArray(value)) return null
  const [first] = value as ReadonlyArray<{ readonly text?: unknown }>
  return typeof first?.text === "string" ? first.text : null
}

const telling = ["name", "model", "reason", "outcome", "status", "text", "title", "decision", "stop"] as const

/** The one thing in an event that tells most of it. */
export const subjectOfEvent = ({ payload }: LogEvent): string => {
  if (payload === null) return "(redacted)"
  const fields = payload as Readonly<Record<string, unknown>>
  const parts = telling.flatMap((name) => (typeof fields[name] === "string" ? [fields[name]] : []))
  const content = said(fields["content"]) ?? said(fields["text"])
  if (content !== null) parts.push(content)
  const { input } = fields
  if (typeof input === "object" && input !== null) parts.push(JSON.stringify(input))
  return [...new Set(parts)].join(" · ").replaceAll(/\s+/g, " ").slice(0, 240)
}

/** Events whose type or content has all the words. */
export const found = (log: ReadonlyArray<LogEvent>, wanted: string): ReadonlyArray<LogEvent> => {
  const words = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
  if (words.length === 0) return log
  return log.filter((event) => {
    const type = event.type.toLowerCase()
    const rest = words.filter((word) => !type.includes(word))
    if (rest.length === 0) return true
    const text = JSON.stringify(event.payload).toLowerCase()
    return rest.every((word) => text.includes(word))
  })
}
