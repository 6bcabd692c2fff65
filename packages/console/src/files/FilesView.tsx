import { useQuery } from "@tanstack/react-query"
import { ChevronRight, Download, FileDiff, RotateCw } from "lucide-react"
import { useState } from "react"
import { ApiError, type File as StoredFile } from "@troupe/client"
import { allOf, troupe } from "../api/troupe.ts"
import { Ago } from "../ui/Ago.tsx"
import { size } from "../ui/format.logic.ts"
import { Loaded } from "../ui/Loaded.tsx"
import { DiffView } from "../session/diff/DiffView.tsx"
import { patchLines } from "../session/diff/patch.logic.ts"
import { countsOf, sorted, type TreeChange } from "./files.logic.ts"
import "../session/timeline.css"
import "./files.css"

const words = { added: "new", removed: "deleted", changed: "changed", retyped: "another kind" } as const

const Change = ({ change }: { readonly change: TreeChange }) => {
  const [isOpen, setOpen] = useState(false)
  const counts = countsOf(change)
  return (
    <li>
      <button type="button" className="call-line" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={13} className="turn" aria-hidden />
        <code className="cut">{change.path}</code>
        <span className="faint">{words[change.change]}</span>
        {counts === null ? null : (
          <span className="number">
            <span className="plus">+{counts.added}</span> <span className="minus">−{counts.removed}</span>
          </span>
        )}
      </button>
      {!isOpen ? null : change.text === null ? (
        <p className="faint no-text">
          No text to compare{change.after === null ? "" : `, ${size(change.after.size)}`}.
        </p>
      ) : (
        <DiffView lines={patchLines(change.text)} path={change.path} />
      )}
    </li>
  )
}

const Files = ({ files }: { readonly files: ReadonlyArray<StoredFile> }) => (
  <ul className="file-list">
    {files.map(({ created_at, downloadable, filename, id, size_bytes, troupe }) => (
      <li key={id}>
        <span className="cut">
          <strong>{filename}</strong> <code className="faint">{troupe.path ?? ""}</code>
        </span>
        <span className="faint number">{size(size_bytes)}</span>
        <span className="faint">
          <Ago at={Date.parse(created_at)} />
        </span>
        {downloadable ? (
          <a
            className="button quiet only-icon"
            href={`/v1/files/${id}/content`}
            download={filename}
            aria-label={`Download ${filename}`}
          >
            <Download size={14} />
          </a>
        ) : null}
      </li>
    ))}
  </ul>
)

/** No place yet, or a runner that is away: told calmly, since nothing is wrong with the session. */
const isQuiet = (error: Error | null) => error instanceof ApiError && (error.status === 409 || error.status === 503)

/** What the agent made, what it was given, and what it changed in its working copy. */
const FilesView = ({ sessionId }: { readonly sessionId: string }) => {
  const files = useQuery({
    queryKey: ["files", sessionId],
    queryFn: () => allOf(troupe.files.list({ scope_id: sessionId, limit: 100 }))
  })
  const changes = useQuery({
    queryKey: ["changes", sessionId],
    queryFn: () => troupe.sessions.place.changes(sessionId, {}, { maxRetries: 0 })
  })
  const { given, made } = sorted(files.data ?? [])
  return (
    <div className="page-body" tabIndex={0} role="region" aria-label="Files">
      <div className="column files">
        <section>
          <h2>Outputs</h2>
          <Loaded of={files} rows={2} isInset>
            {() =>
              made.length === 0 ? (
                <p className="faint">
                  What the agent leaves in <code>/mnt/session/outputs</code> is here once its turn has ended.
                </p>
              ) : (
                <Files files={made} />
              )
            }
          </Loaded>
        </section>
        {given.length === 0 ? null : (
          <section>
            <h2>Given to it</h2>
            <Files files={given} />
          </section>
        )}
        <section>
          <h2>
            <FileDiff size={15} aria-hidden /> Changes in the working copy
            <button
              type="button"
              className="button quiet only-icon"
              aria-label="Look again"
              disabled={changes.isFetching}
              onClick={() => void changes.refetch()}
            >
              <RotateCw size={13} />
            </button>
          </h2>
          {isQuiet(changes.error) ? (
            <p className="faint">{changes.error!.message}</p>
          ) : (
            <Loaded of={changes} rows={3} isInset>
              {({ data, truncated }) => (
                <>
                  {data.length === 0 ? <p className="faint">Nothing was changed.</p> : null}
                  <ul className="change-list">
                    {data.map((change) => (
                      <Change key={change.path} change={change} />
                    ))}
                  </ul>
                  {truncated ? <p className="faint">There are more than are shown.</p> : null}
                </>
              )}
            </Loaded>
          )}
        </section>
      </div>
    </div>
  )
}
export default FilesView
