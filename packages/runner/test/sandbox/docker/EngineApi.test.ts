import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, type Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "../../../src/sandbox/docker/EngineApi.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-engine-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Something that listens where an engine would. */
const engine = (listener: RequestListener): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const path = join(yield* directory, "engine.sock")
    const server = createServer(listener)
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(path, () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return path
  })

const answering = (answers: Readonly<Record<string, readonly [status: number, body: string]>>): RequestListener => {
  const all = { "/version": [200, `{"ApiVersion":"1.43","MinAPIVersion":"1.24"}`] as const, ...answers }
  return (request, response) => {
    const [status, body] = all[request.url as keyof typeof all] ?? [404, `{"message":"page not found"}`]
    response.writeHead(status).end(body)
  }
}

const Answer = Schema.Struct({ Id: Schema.String })
const call = { method: "GET", path: "/thing" } as const

describe("The engine's API", () => {
  it.live("asks under the version that both know", () =>
    Effect.gen(function* () {
      const api = yield* connect(yield* engine(answering({ "/v1.43/thing": [200, `{"Id":"a"}`] })))
      assert.deepStrictEqual([api.version, yield* api.ask(call, Answer)], ["1.43", { Id: "a" }])
    })
  )

  it.live("refuses an engine that is too old, naming what it speaks", () =>
    Effect.gen(function* () {
      const old = [200, `{"ApiVersion":"1.40","MinAPIVersion":"1.12"}`] as const
      const { message, reason } = yield* Effect.flip(connect(yield* engine(answering({ "/version": old }))))
      assert.strictEqual(reason._tag, "Version")
      assert.include(message, "1.12 to 1.40")
    })
  )

  it.live("says where nobody answers", () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "nobody.sock")
      const { message, reason } = yield* Effect.flip(connect(path))
      assert.strictEqual(reason._tag, "Unreachable")
      assert.include(message, path)
    })
  )

  it.live("says what the engine refused, and why", () =>
    Effect.gen(function* () {
      const api = yield* connect(
        yield* engine(answering({ "/v1.43/thing": [409, `{"message":"You cannot remove a running container"}`] }))
      )
      const { reason } = yield* Effect.flip(api.call(call))
      assert.deepStrictEqual(reason, {
        _tag: "Refused",
        status: 409,
        detail: "You cannot remove a running container"
      })
    })
  )

  it.live.each([`{"Id":1}`, `{"Id":`, ""])("does not take %o for an answer", (body) =>
    Effect.gen(function* () {
      const api = yield* connect(yield* engine(answering({ "/v1.43/thing": [200, body] })))
      const { reason } = yield* Effect.flip(api.ask(call, Answer))
      assert.strictEqual(reason._tag, "Unreadable")
    })
  )

  it.live("says so when the connection breaks before the answer is whole", () =>
    Effect.gen(function* () {
      const path = yield* engine((request, response) => {
        if (request.url === "/version") return answering({})(request, response)
        response.writeHead(200, { "Content-Length": 100 })
        response.write("{", () => response.destroy())
      })
      const api = yield* connect(path)
      const { reason } = yield* Effect.flip(api.ask(call, Answer))
      assert.strictEqual(reason._tag, "Unreachable")
    })
  )

  it.live("says what an engine answers that hands over no connection", () =>
    Effect.gen(function* () {
      const api = yield* connect(yield* engine(answering({ "/v1.43/thing": [404, `{"message":"No such exec"}`] })))
      const { reason } = yield* Effect.flip(Effect.scoped(api.hijack(call)))
      assert.deepStrictEqual(reason, { _tag: "Refused", status: 404, detail: "No such exec" })
    })
  )
})
