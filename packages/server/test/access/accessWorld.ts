import { system } from "@troupe/domain/Actor"
import { Effect, Redacted } from "effect"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { apiKey } from "../support/apiKey.ts"
import type { GatewayWorld } from "../gateway/gatewayWorld.ts"

/** What came back, with its JSON, whatever it is. */
const answered = async (response: Response) => {
  const text = await response.text()
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null }
}

export type Headings = Record<string, string>

/** Requests as whoever one wants to be. */
export const asking = (world: () => GatewayWorld) => {
  const ask = async (method: string, path: string, headers: Headings, body?: unknown) =>
    await answered(
      await fetch(`${world().node.gateway}${path}`, {
        method,
        redirect: "manual",
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
    )
  const own = { "x-api-key": apiKey }
  return {
    ask,
    own,
    get: (path: string, headers: Headings = own) => ask("GET", path, headers),
    post: (path: string, body?: unknown, headers: Headings = own) => ask("POST", path, headers, body),
    remove: (path: string, headers: Headings = own) => ask("DELETE", path, headers)
  }
}

export const bearer = (secret: string): Headings => ({ authorization: `Bearer ${secret}` })

/** A workspace of somebody else's, and a key that opens all of it. */
export const strangersKey = (world: GatewayWorld): Promise<string> =>
  world.node.run(
    Effect.gen(function* () {
      const workspaceId = yield* (yield* Workspaces).create("other", system)
      const tokens = yield* Tokens
      const made = yield* tokens.create(
        { workspaceId, kind: "api_key", name: "k", labels: [], scopes: ["admin"] },
        system
      )
      return Redacted.value(made.secret)
    })
  )

/** Waits until something is so: what nodes remember of tokens lasts a moment. */
export const until = async (is: () => Promise<boolean>): Promise<void> => {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 50))
}
