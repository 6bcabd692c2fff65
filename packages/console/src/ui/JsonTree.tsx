import { Menu } from "@base-ui/react/menu"
import { Copy } from "lucide-react"
import type { Json } from "@troupe/domain/Json"
import { createContext, use, useDeferredValue, useMemo, useRef, useState } from "react"
import { copyText } from "./clipboard.ts"
import { plural } from "./format.logic.ts"
import { below, type Branch, copyOf, entriesOf, folded, isBig, isBranch, type Sought, soughtIn } from "./json.logic.ts"
import "./json.css"

const shownMax = 100

const Text = ({ text, words }: { readonly text: string; readonly words: string }) => {
  const [isWhole, setWhole] = useState(false)
  const { left, shown } = useMemo(() => folded(text, words), [text, words])
  return (
    <>
      <span className="json-string">{JSON.stringify(isWhole ? text : shown)}</span>
      {left === null || isWhole ? null : (
        <button type="button" className="json-more" onClick={() => setWhole(true)}>
          show all, {left}
        </button>
      )}
    </>
  )
}

const Leaf = ({ value, words = "" }: { readonly value: Json; readonly words?: string }) =>
  typeof value === "string" ? (
    <Text text={value} words={words} />
  ) : (
    <span className={`json-${value === null ? "null" : typeof value}`}>{String(value)}</span>
  )

const sizeOf = (value: Branch) => (Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).length}}`)

/** What one entry of the tree is called by those who want to mark it. */
type Marks = ReadonlySet<string>

interface Chosen {
  readonly path: string
  readonly value: Json
}

/** What all entries of a tree share. */
interface Tree {
  readonly openTo: number
  readonly marks: Marks
  readonly sought: Sought | null
  readonly onChoose: (chosen: Chosen, button: HTMLElement) => void
}

const OfTree = createContext<Tree | null>(null)

interface Place {
  readonly path: string
  readonly depth: number
  /** Whether all of it is shown, whatever is looked for: its name is what was found. */
  readonly isWhole: boolean
}

const Entry = (props: Place & { readonly name: string; readonly value: Json }) => {
  const { depth, isWhole, name, path, value } = props
  const { marks, onChoose, openTo, sought } = use(OfTree)!
  const [choice, setChoice] = useState<boolean | null>(null)
  const isMarked = marks.has(path)
  const holdsMark = !isMarked && [...marks].some((mark) => mark.startsWith(`${path}/`))
  const isHit = sought?.hits.has(path) === true
  const leads = sought?.open.has(path) === true
  const isOpen = leads || (choice ?? (depth < openTo || holdsMark))
  const hasMore = isBranch(value) && Object.keys(value).length > 0
  const copy = (
    <button
      type="button"
      className="json-copy"
      aria-label={`Copy ${name}`}
      aria-haspopup="menu"
      onClick={({ currentTarget }) => onChoose({ path, value }, currentTarget)}
    >
      <Copy size={11} aria-hidden />
    </button>
  )
  return (
    <li className={isMarked ? "marked" : isHit ? "hit" : undefined}>
      {hasMore ? (
        <button type="button" className="json-branch" aria-expanded={isOpen} onClick={() => setChoice(!isOpen)}>
          <span className="json-turn" aria-hidden>
            {isOpen ? "▾" : "▸"}
          </span>
          <span className="json-name">{name}</span> <span className="faint">{sizeOf(value)}</span>
        </button>
      ) : (
        <>
          <span className="json-name">{name}</span>{" "}
          {isBranch(value) ? sizeOf(value) : <Leaf value={value} words={isHit ? sought.words : ""} />}
        </>
      )}
      {copy}
      {hasMore && isOpen ? (
        <Entries path={path} depth={depth} value={value} isWhole={isWhole || (isHit && !leads)} />
      ) : null}
    </li>
  )
}

const Entries = ({ depth, isWhole, path, value }: Place & { readonly value: Branch }) => {
  const { sought } = use(OfTree)!
  const [shown, setShown] = useState(shownMax)
  const entries = entriesOf(value)
    .map(([name, one]) => ({ name, value: one, path: below(path, name) }))
    .filter((one) => sought === null || isWhole || sought.hits.has(one.path) || sought.open.has(one.path))
  return (
    <ul className="json">
      {entries.slice(0, shown).map((entry) => (
        <Entry key={entry.name} {...entry} depth={depth + 1} isWhole={isWhole} />
      ))}
      {entries.length > shown ? (
        <li>
          <button type="button" className="json-branch" onClick={() => setShown(shown + shownMax * 5)}>
            {entries.length - shown} more
          </button>
        </li>
      ) : null}
    </ul>
  )
}

const noMarks: Marks = new Set()

const Searched = ({ found, onSeek }: { readonly found: Sought | null; readonly onSeek: (words: string) => void }) => (
  <p className="json-find">
    <input
      className="input"
      type="search"
      aria-label="Search in it"
      placeholder="Search in it"
      onChange={({ target }) => onSeek(target.value)}
    />
    <span className="faint" role="status">
      {found === null ? "" : found.hits.size === 0 ? "Nothing found" : `${plural(found.hits.size, "place")} found`}
    </span>
  </p>
)

const Whole = (props: { readonly value: Branch; readonly openTo: number; readonly marks: Marks }) => {
  const { marks, openTo, value } = props
  const [wanted, setWanted] = useState("")
  const words = useDeferredValue(wanted)
  const canSearch = useMemo(() => isBig(value), [value])
  const sought = useMemo(() => (canSearch ? soughtIn(value, words) : null), [canSearch, value, words])
  const [chosen, setChosen] = useState<Chosen | null>(null)
  const button = useRef<HTMLElement | null>(null)
  const tree = useMemo(
    (): Tree => ({
      marks,
      openTo,
      sought,
      onChoose: (one, at) => {
        button.current = at
        setChosen(one)
      }
    }),
    [marks, openTo, sought]
  )
  return (
    <div className="json-tree">
      {canSearch ? <Searched found={sought} onSeek={setWanted} /> : null}
      <OfTree value={tree}>
        <Entries path="" value={value} depth={0} isWhole={false} />
      </OfTree>
      <Menu.Root open={chosen !== null} onOpenChange={(isOpen) => !isOpen && setChosen(null)}>
        <Menu.Portal>
          <Menu.Positioner align="start" sideOffset={4} anchor={button}>
            <Menu.Popup className="menu" finalFocus={button}>
              <Menu.Item onClick={() => void copyText(copyOf(chosen?.value ?? null))}>Copy the value</Menu.Item>
              <Menu.Item onClick={() => void copyText(chosen?.path ?? "")}>Copy the path</Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </div>
  )
}

/**
 * JSON that opens and closes, and is searched where it is big. Each value and its path can be copied. Marks are JSON Pointers: what
 * leads to one is open.
 */
export const JsonTree = (props: { readonly value: Json; readonly openTo?: number; readonly marks?: Marks }) => {
  const { marks = noMarks, openTo = 1, value } = props
  return isBranch(value) ? <Whole value={value} openTo={openTo} marks={marks} /> : <Leaf value={value} />
}
