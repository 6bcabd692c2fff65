import type { Timeline } from "@troupe/client"
import { clean } from "../terminal/clean.ts"
import { resultLine } from "../chat/resultLine.ts"
import { inputLine } from "./toolLine.ts"

type Turn = Timeline["threads"][number]["turns"][number]
type Item = Turn["items"][number]
type Content = Extract<Item, { readonly kind: "text" }>["content"]

const place = (seq: number) => String(seq).padStart(5)

const words = (content: Content): string =>
  content.map((block) => (block.type === "text" ? clean(block.text) : `(${block.type})`)).join("\n")

const indented = (mark: string, text: string): ReadonlyArray<string> =>
  text
    .trimEnd()
    .split("\n")
    .map((line, at) => (at === 0 ? `${mark}${line}` : `         ${line}`))

const changesLine = ({
  added,
  deleted,
  files,
  isComplete
}: NonNullable<Extract<Item, { kind: "captured" }>["changes"]>) =>
  `${files}${isComplete ? "" : "+"} ${files === 1 ? "file" : "files"} changed, +${added} −${deleted}`

const linesOf = (item: Item): ReadonlyArray<string> => {
  const at = `${place(item.seq)}  `
  switch (item.kind) {
    case "message":
      return indented(`${at}› `, words(item.content))
    case "text":
      return indented(`${at}  `, words(item.content))
    case "thinking":
      return [`${at}  (thinks)`]
    case "call":
      return [
        `${at}● ${item.name} ${inputLine(item.editedInput ?? item.input)}`,
        `       ${item.outcome === null ? "  └ has not ended" : resultLine({ content: item.content as never })}`
      ]
    case "subagent":
      return [
        `${at}◇ ${clean(item.name)}: ${clean(item.task).split("\n", 1)[0]}`,
        `       ${item.outcome === null ? "  └ has not ended" : resultLine({ content: [{ type: "text", text: item.summary ?? item.outcome }] })}`
      ]
    case "captured":
      return item.changes === null || item.changes.files === 0 ? [] : [`${at}Δ ${changesLine(item.changes)}`]
    case "noted":
      return indented(`${at}! `, clean(item.message))
    default:
      return []
  }
}

/** What happened in a session, turn by turn, with its places in the log. */
export const story = ({ threads }: Timeline): string =>
  threads
    .flatMap(({ name, turns }) => [
      ...(threads.length > 1 ? [`== ${name}`] : []),
      ...turns.flatMap(({ attempts, items, reason, state }) => [
        ...items.flatMap(linesOf),
        `       ${state}${reason === null ? "" : `: ${reason}`}${attempts.length > 1 ? `, after ${attempts.length} attempts` : ""}`,
        ""
      ])
    ])
    .join("\n")
    .trimEnd()
