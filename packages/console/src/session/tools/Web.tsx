import { useMemo } from "react"
import { Markdown } from "../../ui/Markdown.tsx"
import type { AnswerProps } from "./Found.tsx"
import { Output } from "./Terminal.tsx"
import { linkable, pageIn, resultsIn } from "./web.logic.ts"

const Away = ({ url, words }: { readonly url: string; readonly words: string }) => {
  const href = linkable(url)
  return href === null ? (
    <span>{words}</span>
  ) : (
    <a className="link" href={href} target="_blank" rel="noopener noreferrer">
      {words}
    </a>
  )
}

/** A page that was fetched: what it is, and what is there. */
export const WebPage = ({ answer }: AnswerProps) => {
  const { notes, status, text, title, url } = useMemo(() => pageIn(answer), [answer])
  return (
    <article className="web-page">
      <header>
        {title === null ? null : <strong>{title}</strong>}
        <Away url={url} words={url} />
        {status === null ? null : <span className="badge warn">Status {status}</span>}
      </header>
      {text === "" ? null : title === null ? (
        <Output text={text} />
      ) : (
        <div className="web-text" tabIndex={0} role="region" aria-label={`Text of ${title}`}>
          <Markdown text={text} />
        </div>
      )}
      {notes.map((note) => (
        <p key={note} className="faint">
          {note}
        </p>
      ))}
    </article>
  )
}

/** What was found on the web. */
export const WebResults = ({ answer }: AnswerProps) => {
  const results = useMemo(() => resultsIn(answer), [answer])
  if (results === null) return <Output text={answer} />
  if (results.length === 0) return <p className="faint">{answer}</p>
  return (
    <ol className="web-results">
      {results.map(({ published, snippet, title, url }, index) => (
        <li key={index}>
          <Away url={url} words={title === "" ? url : title} />
          <span className="faint cut">
            {url}
            {published === null ? "" : ` · ${published}`}
          </span>
          <span className="soft">{snippet}</span>
        </li>
      ))}
    </ol>
  )
}
