import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createHash } from "node:crypto"

export const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const sourceOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1b1b1f, #ececf1); --soft: light-dark(#5f5f6b, #a2a2ae);
  --line: light-dark(#e3e3e8, #33333b); --ground: light-dark(#fff, #17171b); --raised: light-dark(#f6f6f8, #1f1f25);
  --accent: light-dark(#3d4fd1, #9aa6ff) }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.25rem }
main.small { max-width: 26rem; padding-top: 18vh }
h1 { font-size: 1.6rem; letter-spacing: -.02em; margin: 0 0 .5rem }
h2 { font-size: 1.15rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line) }
a { color: var(--accent) }
code, pre { font: .87em/1.5 ui-monospace, monospace }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; overflow-x: auto }
p, dd, .soft { color: var(--soft) }
label { display: block; margin: 1.25rem 0 .35rem }
input, button { font: inherit; width: 100%; padding: .55rem .75rem; border-radius: 6px; border: 1px solid var(--line);
  background: var(--raised); color: inherit }
button { margin-top: .75rem; background: var(--accent); color: var(--ground); border-color: transparent; cursor: pointer }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0 }
summary { cursor: pointer; padding: .5rem .75rem }
details > div { padding: 0 .75rem .5rem; border-top: 1px solid var(--line) }
.method { display: inline-block; min-width: 4.2rem; font-weight: 600; color: var(--accent) }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 } td, th { text-align: left; padding: .3rem .75rem .3rem 0;
  vertical-align: top; border-bottom: 1px solid var(--line) } th { font-weight: 600 }
nav ul { columns: 3 12rem; padding: 0; list-style: none }`

/** A page of ours that needs nothing but itself; of scripts it runs the one that it carries. */
export const page = (title: string, body: string, script = "") => {
  const policy = [
    "default-src 'none'",
    `style-src ${sourceOf(style)}`,
    ...(script === "" ? [] : [`script-src ${sourceOf(script)}`, "connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
${script === "" ? "" : `<script>${script}</script>`}
</body>
</html>
`
  return HttpServerResponse.text(text, {
    contentType: "text/html; charset=utf-8",
    headers: { "content-security-policy": policy, "referrer-policy": "no-referrer", "cache-control": "no-cache" }
  })
}
