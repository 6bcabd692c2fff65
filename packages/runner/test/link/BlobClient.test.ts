import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { readFileSync, statSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { BlobClient, sha256 } from "../../src/link/BlobClient.ts"
import { FileClient } from "../../src/link/FileClient.ts"
import { Identity } from "../../src/link/Identity.ts"
import { runnerId } from "../support/requests.ts"
import { scratch } from "../support/scratch.ts"

/** Blobs behind one ticket and one credential, with as much trouble before each answer as a test wants. */
const door = Effect.gen(function* () {
  const blobs = new Map<string, Buffer>()
  const seen: Array<string> = []
  const trouble: Array<number> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const name = request.url!.split("/").at(-1)!
      seen.push(`${request.method} ${name.slice(0, 7)}`)
      const answer = (status: number, body: string | Buffer = "") => {
        response.statusCode = status
        response.end(body)
      }
      const known = request.headers.authorization === "Bearer rcred" && request.headers["x-troupe-ticket"] === "ticket"
      const broken = trouble.shift()
      if (broken !== undefined) return answer(broken)
      if (!known) return answer(403)
      if (request.method === "POST") {
        const asked = JSON.parse(Buffer.concat(chunks).toString()) as { sha256: ReadonlyArray<string> }
        response.setHeader("content-type", "application/json")
        return answer(200, JSON.stringify({ missing: asked.sha256.filter((one) => !blobs.has(one)) }))
      }
      if (request.method === "PUT") {
        blobs.set(name, Buffer.concat(chunks))
        return answer(201)
      }
      const found = blobs.get(name)
      return found === undefined ? answer(404) : answer(200, found)
    })
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    () => Effect.sync(() => server.closeAllConnections() ?? server.close())
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const identity = Layer.succeed(Identity, {
    runnerId,
    workspaceId: "" as never,
    credential: Redacted.make("rcred")
  })
  const services = yield* Layer.build(
    Layer.merge(BlobClient.layer([url]), FileClient.layer([url])).pipe(
      Layer.provide(identity),
      Layer.provide(FetchHttpClient.layer)
    )
  )
  return { blobs, seen, trouble, client: Context.get(services, BlobClient), files: Context.get(services, FileClient) }
})

const bytes = Buffer.from("large content")
const name = sha256(bytes)
const nobody = "0".repeat(64)

describe("A blob", () => {
  it.live("is carried there once and back, and asked for among many", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* door
      assert.strictEqual(yield* client.put("ticket", bytes), name)
      assert.strictEqual(yield* client.put("ticket", bytes), name)
      assert.deepStrictEqual(
        seen.map((one) => one.split(" ")[0]),
        ["HEAD", "PUT", "HEAD"]
      )
      assert.strictEqual(yield* client.put("ticket", bytes, true), name)
      assert.match(seen.at(-1)!, /^PUT/)
      assert.deepStrictEqual(Buffer.from(yield* client.get("ticket", name)), bytes)
      assert.deepStrictEqual(yield* client.missing("ticket", [name, nobody]), [nobody])
    }).pipe(Effect.scoped)
  )

  it.live("is tried again while a node is away", () =>
    Effect.gen(function* () {
      const { client, trouble } = yield* door
      trouble.push(503, 429)
      assert.strictEqual(yield* client.put("ticket", bytes), name)
    }).pipe(Effect.scoped)
  )

  it.live("that is not there, not to be had, or not what its name says, is refused by a reason", () =>
    Effect.gen(function* () {
      const { blobs, client, seen, trouble } = yield* door
      const reason = <A>(effect: Effect.Effect<A, { readonly reason: string }>) =>
        Effect.map(Effect.flip(effect), (error) => error.reason)
      assert.strictEqual(yield* reason(client.get("ticket", nobody)), "missing")
      assert.strictEqual(yield* reason(client.get("another", nobody)), "refused")
      assert.strictEqual(seen.length, 2)
      trouble.push(404, 413)
      assert.strictEqual(yield* reason(client.put("ticket", bytes)), "tooLarge")
      blobs.set(name, Buffer.from("something else"))
      assert.strictEqual(yield* reason(client.get("ticket", name)), "damaged")
      blobs.set(name, Buffer.alloc(9 * 1_048_576))
      assert.strictEqual(yield* reason(client.get("ticket", name)), "tooLarge")
    }).pipe(Effect.scoped)
  )
})

describe("The content of a file", () => {
  it.live("is put where it is wanted, and never is more than it was said to be", () =>
    Effect.gen(function* () {
      const { blobs, files } = yield* door
      const into = join(yield* scratch, "file")
      const content = { sha256: name, bytes: bytes.length }
      blobs.set(name, bytes)
      yield* files.get("ticket", content, into)
      assert.deepStrictEqual(readFileSync(into), bytes)
      blobs.set(name, Buffer.concat([bytes, Buffer.alloc(1_048_576)]))
      const refused = yield* Effect.flip(files.get("ticket", content, into))
      assert.strictEqual(refused.reason, "tooLarge")
      assert.isBelow(statSync(into).size, bytes.length + 1)
    }).pipe(Effect.scoped)
  )
})
