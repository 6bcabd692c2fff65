import DOMPurify from "dompurify"
import hljs from "highlight.js/lib/core"
import bash from "highlight.js/lib/languages/bash"
import css from "highlight.js/lib/languages/css"
import diff from "highlight.js/lib/languages/diff"
import dockerfile from "highlight.js/lib/languages/dockerfile"
import go from "highlight.js/lib/languages/go"
import javascript from "highlight.js/lib/languages/javascript"
import json from "highlight.js/lib/languages/json"
import markdown from "highlight.js/lib/languages/markdown"
import python from "highlight.js/lib/languages/python"
import rust from "highlight.js/lib/languages/rust"
import sql from "highlight.js/lib/languages/sql"
import typescript from "highlight.js/lib/languages/typescript"
import xml from "highlight.js/lib/languages/xml"
import yaml from "highlight.js/lib/languages/yaml"
import { Marked } from "marked"

const languages = {
  bash,
  css,
  diff,
  dockerfile,
  go,
  javascript,
  json,
  markdown,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml
}
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language)
hljs.registerAliases(["sh", "shell", "console"], { languageName: "bash" })

const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** Code as HTML, coloured where its language is known. Beyond this length nobody looks at colours. */
const colouredMax = 60_000
export const highlight = (code: string, language: string): string =>
  code.length <= colouredMax && hljs.getLanguage(language) !== undefined
    ? hljs.highlight(code, { language, ignoreIllegals: true }).value
    : escape(code)

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // What may be wider than the page is scrolled by keys too.
    code: ({ lang = "", text }) =>
      `<pre tabindex="0"><code>${highlight(text, lang.split(/\s/)[0]!.toLowerCase())}</code></pre>`
  }
})

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return
  node.setAttribute("target", "_blank")
  node.setAttribute("rel", "noopener noreferrer")
})

/**
 * What an agent wrote, as HTML that does nothing by itself. Pictures are left out: an address that is fetched unasked can
 * carry away what the agent has read.
 */
export const render = (text: string): string =>
  DOMPurify.sanitize(marked.parse(text, { async: false }), {
    USE_PROFILES: { html: true },
    FORBID_TAGS: [
      "img",
      "picture",
      "video",
      "audio",
      "source",
      "style",
      "form",
      "input",
      "button",
      "textarea",
      "select"
    ],
    FORBID_ATTR: ["style", "id", "name"]
  })
