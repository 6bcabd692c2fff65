import type { Json } from "@troupe/domain/Json"
import { useMemo } from "react"
import { plural } from "../../ui/format.logic.ts"
import { type FoundFile, foundIn, pathsIn } from "./found.logic.ts"

/** What a tool was given and answered. */
export interface AnswerProps {
  readonly input: Json
  readonly answer: string
}

const Note = ({ note }: { readonly note: string | null }) => (note === null ? null : <p className="faint">{note}</p>)

/** Files by their names. */
export const Glob = ({ answer }: AnswerProps) => {
  const { note, paths } = useMemo(() => pathsIn(answer), [answer])
  return (
    <>
      {paths.length === 0 ? null : (
        <ul className="found-paths" aria-label={plural(paths.length, "file")} tabIndex={0}>
          {paths.map((path) => (
            <li key={path}>
              <code>{path}</code>
            </li>
          ))}
        </ul>
      )}
      <Note note={note} />
    </>
  )
}

const Text = ({ pieces }: { readonly pieces: ReadonlyArray<string> }) =>
  pieces.map((piece, index) => (index % 2 === 0 ? piece : <mark key={index}>{piece}</mark>))

const Matches = ({ file }: { readonly file: FoundFile }) => (
  <li>
    <p className="found-path">
      <code>{file.path}</code>
      {file.count === null ? null : <span className="faint number">{plural(file.count, "line")}</span>}
    </p>
    {file.lines.length === 0 ? null : (
      <ol>
        {file.lines.map(({ isAround, number, pieces }, index) => (
          <li key={index} className={isAround ? "found-line around" : "found-line"}>
            <span className="found-number">{number}</span>
            <code>
              <Text pieces={pieces} />
            </code>
          </li>
        ))}
      </ol>
    )}
  </li>
)

/** What was found in files, by file, with what was looked for marked. */
export const Grep = ({ answer, input }: AnswerProps) => {
  const { files, note } = useMemo(() => foundIn(answer, input), [answer, input])
  return (
    <>
      {files.length === 0 ? null : (
        <ul className="found-paths" aria-label={`Found in ${plural(files.length, "file")}`} tabIndex={0}>
          {files.map((file) => (
            <Matches key={file.path} file={file} />
          ))}
        </ul>
      )}
      <Note note={note} />
    </>
  )
}
