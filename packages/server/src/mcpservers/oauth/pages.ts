import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Response from "effect/http/HttpServerResponse"
import { escape, page } from "../../pages/html.ts"
import type { Ended } from "./McpAuthorizations.ts"

const said = (heading: string, words: string, status: number): HttpServerResponse =>
  Response.setStatus(
    page(heading, `<main class="small">\n<h1>${escape(heading)}</h1>\n<p>${escape(words)}</p>\n</main>`),
    status
  )

/** What a person sees who comes back from a login. */
export const endedPage = (ended: Ended): HttpServerResponse => {
  switch (ended._tag) {
    case "Connected":
      return said("Connected", `Agents may use the MCP server ${ended.server} now. You can close this page.`, 200)
    case "Unknown":
      return said(
        "Nobody waits for this",
        "This login was used before, is too old, or never was one. Begin it again.",
        400
      )
    case "Refused":
      return said("Not connected", `The login did not work: ${ended.detail}`, 400)
  }
}
