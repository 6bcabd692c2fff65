import { Effect, Option } from "effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { resolve } from "node:path"
import { docs } from "./docs.ts"
import { page } from "./html.ts"
import { login } from "./login.ts"
import { serveFile } from "./StaticFiles.ts"

/** Editors and terminals write styles into the page while they run; scripts come from files of ours alone. */
const consolePolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'"
].join("; ")

const headers = {
  "content-security-policy": consolePolicy,
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin"
}

const notBuilt = page(
  "Troupe",
  `<main class="small">
<h1>Troupe is running</h1>
<p>The console is not built here. Build it, and load this page again:</p>
<pre>npm run build -w packages/console</pre>
<p>The API is at <code>/v1</code>, its description at <a href="/docs">/docs</a>.</p>
</main>`
)

const isConsole = (path: string): boolean =>
  path === "/" || path === "/login" || path === "/w" || path.startsWith("/w/")

/** What browsers are shown beside the API: the console as it was built, and the few pages that work without it. */
export const pages = (consoleDirectory: string) => {
  const directory = resolve(consoleDirectory)
  return Effect.fnUntraced(function* (path: string, request: HttpServerRequest) {
    if (path === "/docs") return Option.some(docs())
    if (path.startsWith("/v1/")) return Option.none<HttpServerResponse>()
    const file = isConsole(path) ? "/index.html" : path
    const found = yield* serveFile(directory, file, request.headers, headers)
    if (Option.isSome(found) || !isConsole(path)) return found
    return Option.some(path === "/login" ? login : notBuilt)
  })
}
