import { Plus, SquareTerminal, X } from "lucide-react"
import { useCallback, useEffect, useMemo, useRef, useState } from "react"
import { usePlace } from "../app/links.tsx"
import { remember, remembered } from "../app/remembered.ts"
import { useActions } from "../registry/actions.ts"
import { Empty } from "../ui/Empty.tsx"
import { Keys } from "../ui/Keys.tsx"
import { idsOf, nextTo, type Pane, textOfIds } from "./terminal.logic.ts"
import { TerminalPane, wayOut } from "./TerminalPane.tsx"
import "./terminals.css"

let opened = 0
const newPane = (): Pane => ({ key: `new-${++opened}`, id: null })

/** Which terminals there are here is in the address, so that a reload and a link find them again. */
const usePanes = (sessionId: string) => {
  const [place, change] = usePlace()
  const [panes, setPanes] = useState<ReadonlyArray<Pane>>(() =>
    idsOf(place["terminals"] ?? remembered("terminals", sessionId)).map((id) => ({ key: id, id }))
  )
  const [shown, setShown] = useState<string | null>(() => panes[0]?.key ?? null)
  const ids = textOfIds(panes.flatMap(({ id }) => (id === null ? [] : [id])))
  useEffect(() => {
    change({ terminals: ids })
    remember("terminals", sessionId, ids)
  }, [change, ids, sessionId])
  const open = useCallback(() => {
    const pane = newPane()
    setPanes((now) => [...now, pane])
    setShown(pane.key)
  }, [])
  const named = (key: string, id: string) =>
    setPanes((now) => now.map((pane) => (pane.key === key ? { key, id } : pane)))
  const remove = (key: string) => {
    if (shown === key) setShown(nextTo(panes, key))
    setPanes((now) => now.filter((pane) => pane.key !== key))
  }
  return { panes, shown, show: setShown, open, named, remove }
}

/** Terminals in a session's sandbox, beside the agent that works there. */
const TerminalsView = ({ sessionId }: { readonly sessionId: string }) => {
  const { named, open, panes, remove, show, shown } = usePanes(sessionId)
  const [isRead, setRead] = useState(false)
  const closers = useRef(new Map<string, () => void>())
  const tabs = useRef<HTMLDivElement>(null)
  useActions(
    useMemo(
      () => [
        { id: "new-terminal", title: "Open a terminal", section: "Session", words: "shell", keys: "o", run: open },
        {
          id: "read-terminal",
          title: isRead ? "Terminals: no screen reader" : "Terminals: for a screen reader",
          section: "Session",
          run: () => setRead(!isRead)
        }
      ],
      [isRead, open]
    )
  )
  const out = () => tabs.current?.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus()
  if (panes.length === 0) {
    return (
      <Empty
        icon={SquareTerminal}
        title="A terminal where the agent works"
        actions={
          <button type="button" className="button first" autoFocus onClick={open}>
            Open a terminal <Keys of="o" />
          </button>
        }
      >
        <p>
          A shell in this session’s sandbox, with the same files and the same network. It goes on when you leave, and
          you come back to it by this page’s address. That one was opened is in the log; what is said in it is not.
        </p>
      </Empty>
    )
  }
  return (
    <div className="terminals">
      <div ref={tabs} className="terminal-tabs" role="group" aria-label="Terminals">
        {panes.map(({ key }, index) => (
          <span key={key} className={key === shown ? "terminal-tab here" : "terminal-tab"}>
            <button type="button" aria-pressed={key === shown} onClick={() => show(key)}>
              Terminal {index + 1}
            </button>
            <button
              type="button"
              aria-label={`Close terminal ${index + 1}`}
              onClick={() => {
                closers.current.get(key)?.()
                remove(key)
              }}
            >
              <X size={12} />
            </button>
          </span>
        ))}
        <button type="button" className="button quiet only-icon" aria-label="Open another terminal" onClick={open}>
          <Plus size={14} />
        </button>
        <span className="faint terminal-hint optional">
          <kbd>{wayOut}</kbd> leaves the terminal
        </span>
      </div>
      {panes.map(({ id, key }, index) => (
        <TerminalPane
          key={key}
          sessionId={sessionId}
          terminalId={id}
          name={`Terminal ${index + 1}`}
          isShown={key === shown}
          isRead={isRead}
          onNamed={(name) => named(key, name)}
          onOut={out}
          onLink={(close) => {
            if (close === null) closers.current.delete(key)
            else closers.current.set(key, close)
          }}
        />
      ))}
    </div>
  )
}
export default TerminalsView
