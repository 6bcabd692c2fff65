import { memo, useEffect, useMemo, useState } from "react"
import "./markdown.css"

interface Renderer {
  readonly render: (text: string) => string
  readonly highlight: (code: string, language: string) => string
}

let loaded: Renderer | null = null
const loading = () => import("./markdown.ts").then(({ highlight, render }) => (loaded = { highlight, render }))

export const useRenderer = (): Renderer | null => {
  const [renderer, set] = useState(loaded)
  useEffect(() => {
    if (renderer === null) void loading().then(set)
  }, [renderer])
  return renderer
}

/** Text with marks: plain until the renderer is here. */
export const Markdown = memo(({ text }: { readonly text: string }) => {
  const renderer = useRenderer()
  const html = useMemo(() => renderer?.render(text), [renderer, text])
  return html === undefined ? (
    <div className="markdown plain">{text}</div>
  ) : (
    <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />
  )
})

export const Code = memo(({ language, text }: { readonly text: string; readonly language: string }) => {
  const renderer = useRenderer()
  const html = useMemo(() => renderer?.highlight(text, language), [language, renderer, text])
  return (
    <pre className="code" tabIndex={0}>
      {html === undefined ? <code>{text}</code> : <code dangerouslySetInnerHTML={{ __html: html }} />}
    </pre>
  )
})
