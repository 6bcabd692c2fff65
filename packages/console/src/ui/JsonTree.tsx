import type { Json } from "@troupe/domain/Json"
import { useState } from "react"
import "./json.css"

const shownMax = 100

const Leaf = ({ value }: { readonly value: Json }) => {
  const kind = value === null ? "null" : typeof value
  return <span className={`json-${kind}`}>{typeof value === "string" ? JSON.stringify(value) : String(value)}</span>
}

const isBranch = (value: Json): value is ReadonlyArray<Json> | Readonly<Record<string, Json>> =>
  typeof value === "object" && value !== null

const sizeOf = (value: ReadonlyArray<Json> | Readonly<Record<string, Json>>) =>
  Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).length}}`

/** What one entry of the tree is called by those who want to mark it. */
type Marks = ReadonlySet<string>

const Entry = (props: {
  readonly name: string
  readonly path: string
  readonly value: Json
  readonly depth: number
  readonly openTo: number
  readonly marks: Marks
}) => {
  const { depth, marks, name, openTo, path, value } = props
  const isMarked = marks.has(path)
  const holdsMark = !isMarked && [...marks].some((mark) => mark.startsWith(`${path}/`))
  const [choice, setChoice] = useState<boolean | null>(null)
  if (!isBranch(value) || Object.keys(value).length === 0) {
    return (
      <li className={isMarked ? "marked" : undefined}>
        <span className="json-name">{name}</span> {isBranch(value) ? sizeOf(value) : <Leaf value={value} />}
      </li>
    )
  }
  const isOpen = choice ?? (depth < openTo || holdsMark)
  return (
    <li className={isMarked ? "marked" : undefined}>
      <button type="button" aria-expanded={isOpen} onClick={() => setChoice(!isOpen)}>
        <span className="json-turn" aria-hidden>
          {isOpen ? "▾" : "▸"}
        </span>
        <span className="json-name">{name}</span> <span className="faint">{sizeOf(value)}</span>
      </button>
      {isOpen ? <Entries {...props} value={value} /> : null}
    </li>
  )
}

const escaped = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1")

const Entries = (props: {
  readonly path: string
  readonly value: ReadonlyArray<Json> | Readonly<Record<string, Json>>
  readonly depth: number
  readonly openTo: number
  readonly marks: Marks
}) => {
  const [shown, setShown] = useState(shownMax)
  const entries = Object.entries(props.value)
  return (
    <ul className="json">
      {entries.slice(0, shown).map(([name, value]) => (
        <Entry
          key={name}
          name={name}
          path={`${props.path}/${escaped(name)}`}
          value={value as Json}
          depth={props.depth + 1}
          openTo={props.openTo}
          marks={props.marks}
        />
      ))}
      {entries.length > shown ? (
        <li>
          <button type="button" onClick={() => setShown(shown + shownMax * 5)}>
            {entries.length - shown} more
          </button>
        </li>
      ) : null}
    </ul>
  )
}

const noMarks: Marks = new Set()

/** JSON that opens and closes. Marks are JSON Pointers: what leads to one is open. */
export const JsonTree = (props: { readonly value: Json; readonly openTo?: number; readonly marks?: Marks }) => {
  const { marks = noMarks, openTo = 1, value } = props
  return isBranch(value) ? (
    <div className="json-tree">
      <Entries path="" value={value} depth={0} openTo={openTo} marks={marks} />
    </div>
  ) : (
    <Leaf value={value} />
  )
}
