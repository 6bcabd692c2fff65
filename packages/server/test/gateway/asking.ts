import { assert } from "@effect/vitest"
import { system } from "@troupe/domain/Actor"
import { scopes } from "@troupe/domain/api/Workspace"
import { Effect, Redacted } from "effect"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import type { GatewayWorld } from "./gatewayWorld.ts"

// Answers are looked into field by field, as clients in other languages do.
// oxlint-disable-next-line typescript/no-explicit-any
type Body = any

export interface Answer {
  readonly status: number
  readonly body: Body
  readonly text: string
}

/** Asks with JSON, as one caller. */
export type Ask = (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>
) => Promise<Answer>

const asking =
  (world: GatewayWorld, own: Readonly<Record<string, string>>): Ask =>
  async (method, path, body, headers = {}) => {
    const response = await world.fetch(path, {
      method,
      headers: { ...own, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, body: JSON.parse(text), text }
  }

export const asOwner = (world: GatewayWorld): Ask => asking(world, {})

/** Somebody with a key of the first workspace that may do only this. */
export const asHolderOf = async (world: GatewayWorld, held: ReadonlyArray<string>): Promise<Ask> =>
  asking(world, { "x-api-key": await keyIn(world, "first", held) })

/** Somebody who may do anything, in a workspace of their own. */
export const asStranger = async (world: GatewayWorld): Promise<Ask> =>
  asking(world, { "x-api-key": await keyIn(world, "another", [...scopes]) })

const keyIn = async (world: GatewayWorld, where: "first" | "another", held: ReadonlyArray<string>): Promise<string> => {
  const { secret } = await world.node.run(
    Effect.gen(function* () {
      const workspaces = yield* Workspaces
      const workspaceId = yield* where === "first" ? workspaces.first : workspaces.create("another", system)
      const tokens = yield* Tokens
      return yield* tokens.create({ workspaceId, kind: "api_key", name: "k", labels: [], scopes: held }, system)
    })
  )
  return Redacted.value(secret)
}

export const made = (answer: Answer): Body => {
  assert.strictEqual(answer.status, 200, answer.text)
  return answer.body
}

/** Status and message of a refusal. */
export const refused = ({ body, status, text }: Answer): readonly [number, string] => {
  assert.strictEqual(body.type, "error", text)
  return [status, body.error.message]
}

/** Another workspace's id is answered as one of nobody. */
export const assertHidden = async (stranger: Ask, path: string, prefix: string): Promise<void> => {
  const id = path.split("/").at(-1)!
  const nobody = path.replace(id, `${prefix}_01${"1".repeat(21)}2`)
  for (const [method, body] of [["GET"], ["POST", {}], ["DELETE"]] as const) {
    const theirs = await stranger(method, path, body)
    const none = await stranger(method, nobody, body)
    assert.strictEqual(theirs.status, 404, `${method} ${path}`)
    assert.strictEqual(
      theirs.body.error.message.replace(id, ""),
      none.body.error.message.replace(nobody.split("/").at(-1)!, "")
    )
  }
}
