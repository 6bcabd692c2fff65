import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Response from "effect/http/HttpServerResponse"
import { escape, page } from "../../pages/html.ts"
import type { Ended } from "./McpAuthorizations.ts"

const said = (heading: string, words: string, status: number, back: string | null = null): HttpServerResponse => {
  const link = back === null ? "" : `\n<p><a href="${escape(back)}">Back to the MCP server</a></p>`
  const body = `<main class="small">\n<h1>${escape(heading)}</h1>\n<p>${escape(words)}</p>${link}\n</main>`
  return Response.setStatus(page(heading, body), status)
}

/** What a person sees who comes back from a login: the console, where they left from there and all went well. */
export const endedPage = (ended: Ended): HttpServerResponse => {
  switch (ended._tag) {
    case "Connected":
      return ended.back === null
        ? said("Connected", `Agents may use the MCP server ${ended.server} now. You can close this page.`, 200)
        : Response.redirect(ended.back, { status: 303 })
    case "Unknown":
      return said(
        "Nobody waits for this",
        "This login was used before, is too old, or never was one. Begin it again.",
        400
      )
    case "Refused":
      return said("Not connected", `The login did not work: ${ended.detail}`, 400, ended.back)
  }
}
