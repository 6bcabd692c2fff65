import { system } from "@troupe/domain/Actor"
import type { RunnerId, SessionId, WorkspaceId } from "@troupe/domain/Ids"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { createHash } from "node:crypto"
import { Tickets } from "../../src/runners/Tickets.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { newId } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { postRegistration, register, type Registered, startNode, type TestNode } from "../support/TestNode.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const some = (length: number, fill = 7) => new Uint8Array(length).fill(fill)

describe("the doors for runners", { timeout: 120_000 }, () => {
  const scope = Scope.makeUnsafe()
  let node: TestNode
  let workspaceId: WorkspaceId
  let runner: Registered
  let ticket: string

  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    node = await startNode(database)
    workspaceId = await node.run(Effect.flatMap(Workspaces, ({ first }) => first))
    runner = await register(node, workspaceId, { name: "r" })
    ticket = await ticketFor(runner, newId("Session") as SessionId)
  }, 120_000)

  afterAll(async () => {
    await node?.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const ticketFor = (of: Registered, sessionId: SessionId) =>
    node.run(
      Effect.map(Tickets, ({ issue }) =>
        issue({ workspaceId: of.workspaceId as WorkspaceId, sessionId, runnerId: of.runnerId as RunnerId })
      )
    )

  const blobs = (path: string, init: RequestInit = {}, as = runner, shown = ticket) =>
    fetch(`${node.gateway}/v1/runners/blobs/${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${as.credential}`, "x-troupe-ticket": shown }
    })

  const problem = async (response: Response) => {
    const body = (await response.json()) as {
      type: string
      error: { type: string; message: string }
      request_id: string
    }
    assert.strictEqual(body.type, "error")
    assert.match(body.request_id, /^req_/)
    return [response.status, body.error.type, body.error.message] as const
  }

  it("take sockets alone where runners dial in", async () => {
    const headers = { authorization: `Bearer ${runner.credential}` }
    const plain = await fetch(`${node.gateway}/v1/runners/connect`, { headers })
    assert.deepStrictEqual((await problem(plain)).slice(0, 2), [426, "invalid_request_error"])
    const stranger = await fetch(`${node.gateway}/v1/runners/connect`)
    assert.strictEqual(stranger.status, 401)
  })

  it("exchange a registration token for an identity", async () => {
    assert.match(runner.runnerId, /^rnr_/)
    assert.strictEqual(runner.workspaceId, workspaceId)
    assert.match(runner.credential, /^trp_run_/)
  })

  it("take the token as x-api-key too, and say what is wrong with another", async () => {
    const post = (headers: Record<string, string>, body = `{"name":"x"}`) =>
      fetch(`${node.gateway}/v1/runners/register`, { method: "POST", headers, body })
    assert.deepStrictEqual(await problem(await post({})), [401, "authentication_error", "No token was sent"])
    assert.deepStrictEqual(await problem(await post({ "x-api-key": "trp_reg_guess" })), [
      401,
      "authentication_error",
      "The token is unknown"
    ])
    assert.deepStrictEqual(await problem(await post({ "x-api-key": runner.credential })), [
      403,
      "permission_error",
      "This is a runner's credential, not a registration token for runners"
    ])
    assert.deepStrictEqual(await problem(await post({ authorization: "Bearer trp_key" })), [
      403,
      "permission_error",
      "This is an API key, not a registration token for runners"
    ])
  })

  it("refuse bodies that are none", async () => {
    const { secret } = await node.run(
      Effect.flatMap(Tokens, ({ create }) =>
        create({ workspaceId, kind: "runner_registration", name: "t", labels: [] }, system)
      )
    )
    const long = "x".repeat(129)
    const bodies = [
      "",
      "{",
      "[]",
      `{"name":""}`,
      { name: long },
      { name: "a\u0000b" },
      { name: "\ud800" },
      { name: 1 },
      { name: "a", other: 1 },
      { name: "a", labels: "b" }
    ]
    for (const body of [
      ...bodies,
      { name: "a", labels: [long] },
      { name: "a", labels: Array(65).fill("b") },
      { name: "a", labels: ["\udfff"] }
    ]) {
      const [status, type] = await problem(await postRegistration(node.gateway, secret, body))
      assert.deepStrictEqual([status, type], [400, "invalid_request_error"], JSON.stringify(body))
    }
    const [status, type] = await problem(await postRegistration(node.gateway, secret, "x".repeat(70_000)))
    assert.deepStrictEqual([status, type], [413, "request_too_large"])
  })

  it("let nobody connect without a runner's credential", async () => {
    const upgrade = (authorization?: string) =>
      fetch(`${node.gateway}/v1/runners/connect`, authorization === undefined ? {} : { headers: { authorization } })
    assert.strictEqual((await upgrade()).status, 401)
    assert.strictEqual((await upgrade("Bearer trp_run_nobody")).status, 401)
    assert.strictEqual((await upgrade("Bearer trp_key")).status, 403)
  })

  it("keep blobs, and tell which are missing", async () => {
    const bytes = some(100_000)
    const name = sha256(bytes)
    const absent = sha256(some(1))
    assert.strictEqual((await blobs(name, { method: "HEAD" })).status, 404)
    const put = () => blobs(name, { method: "PUT", body: bytes, headers: { "content-type": "text/x-test" } })
    assert.strictEqual((await put()).status, 204)
    assert.strictEqual((await put()).status, 204)
    assert.strictEqual((await blobs(name, { method: "HEAD" })).status, 200)
    const got = await blobs(name)
    assert.deepStrictEqual([got.status, got.headers.get("content-type")], [200, "text/x-test"])
    assert.strictEqual(sha256(new Uint8Array(await got.arrayBuffer())), name)
    const body = JSON.stringify({ sha256: [name, absent, absent] })
    assert.deepStrictEqual(await (await blobs("missing", { method: "POST", body })).json(), { missing: [absent] })
    const [status] = await problem(await blobs(absent))
    assert.strictEqual(status, 404)
  })

  it("refuse what is no blob, or another, or too large", async () => {
    const bytes = some(10)
    const put = async (name: string, body: NonNullable<RequestInit["body"]>, extra: object = {}) =>
      (await problem(await blobs(name, { method: "PUT", body, ...extra })))[0]
    assert.strictEqual(await put("A".repeat(64), bytes), 400)
    assert.strictEqual(await put("..%2f..%2fetc", bytes), 400)
    assert.strictEqual(await put(sha256(some(11)), bytes), 422)
    const large = some(8 * 1_048_576 + 1)
    assert.strictEqual(await put(sha256(large), large), 413)
    const chunked = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 9; n++) controller.enqueue(some(1_048_576))
        controller.close()
      }
    })
    assert.strictEqual(await put(sha256(large), chunked, { duplex: "half" }), 413)
    const most = some(8 * 1_048_576)
    assert.strictEqual((await blobs(sha256(most), { method: "PUT", body: most })).status, 204)
    for (const body of ["{", `{"sha256":["x"]}`, `{}`]) {
      assert.strictEqual((await problem(await blobs("missing", { method: "POST", body })))[0], 400)
    }
  })

  it("open to a ticket only with the credential of the runner that it was given to", async () => {
    const bytes = some(20)
    const name = sha256(bytes)
    await blobs(name, { method: "PUT", body: bytes })
    const elsewhere = await node.run(Effect.flatMap(Workspaces, ({ create }) => create("other", system)))
    const neighbour = await register(node, workspaceId, { name: "n" })
    const stranger = await register(node, elsewhere, { name: "s" })
    for (const other of [neighbour, stranger]) {
      assert.strictEqual((await blobs(name, {}, other)).status, 403)
    }
    const session = newId("Session") as SessionId
    const [id, code] = ticket.split(".")
    for (const forged of [
      "",
      "x",
      `${session}.${code}`,
      `${id}.`,
      `${id}.${code}.${code}`,
      `${id}.${"A".repeat(43)}`
    ]) {
      assert.strictEqual((await blobs(name, {}, runner, forged)).status, 403)
    }
    // What another workspace's runner may see is what its own workspace has.
    assert.strictEqual((await blobs(name, {}, stranger, await ticketFor(stranger, session))).status, 404)
    assert.strictEqual((await blobs(name, {}, neighbour, await ticketFor(neighbour, session))).status, 200)
  })

  const contents = (path: string, init: RequestInit = {}, as = runner, shown = ticket) =>
    fetch(`${node.gateway}/v1/runners/${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${as.credential}`, "x-troupe-ticket": shown }
    })
  const tell = (told: object, as = runner, shown = ticket) =>
    contents("outputs", { method: "POST", body: JSON.stringify(told) }, as, shown)

  it("take what agents make, and make a file of each that is another", async () => {
    const [bytes, other] = [some(1_000_000, 1), some(10, 2)]
    const name = sha256(bytes)
    assert.strictEqual((await problem(await tell({ path: "a/b.csv", sha256: name })))[0], 404)
    assert.strictEqual((await problem(await contents(`contents/${name}`)))[0], 404)
    const put = await contents(`contents/${name}`, { method: "PUT", body: bytes })
    assert.strictEqual(put.status, 204)
    const got = await contents(`contents/${name}`)
    assert.strictEqual(sha256(new Uint8Array(await got.arrayBuffer())), name)
    const idOf = async (told: object) => ((await (await tell(told)).json()) as { file_id: string }).file_id
    const first = await idOf({ path: "a/b.csv", sha256: name })
    assert.match(first, /^file_01/)
    assert.strictEqual(await idOf({ path: "a/b.csv", sha256: name }), first)
    assert.notStrictEqual(await idOf({ path: "c.csv", sha256: name }), first)
    await contents(`contents/${sha256(other)}`, { method: "PUT", body: other })
    const changed = await idOf({ path: "a/b.csv", sha256: sha256(other) })
    assert.notStrictEqual(changed, first)
    assert.notStrictEqual(await idOf({ path: "a/b.csv", sha256: name }), first)
  })

  it("show the content of files where blobs are asked for, and don't take it for one", async () => {
    const bytes = some(30, 3)
    await contents(`contents/${sha256(bytes)}`, { method: "PUT", body: bytes })
    assert.strictEqual((await (await blobs(sha256(bytes))).arrayBuffer()).byteLength, 30)
    assert.strictEqual((await blobs(sha256(bytes), { method: "HEAD" })).status, 404)
  })

  it("refuse content that is another, too large, or nobody's here, and paths that are none", async () => {
    const bytes = some(40, 4)
    const name = sha256(bytes)
    const put = async (path: string, body: NonNullable<RequestInit["body"]>) =>
      (await problem(await contents(`contents/${path}`, { method: "PUT", body })))[0]
    assert.strictEqual(await put(sha256(some(41)), bytes), 422)
    assert.strictEqual(await put("A".repeat(64), bytes), 400)
    assert.strictEqual(await put(sha256(some(8 * 1_048_576 + 1)), some(8 * 1_048_576 + 1)), 413)
    await contents(`contents/${name}`, { method: "PUT", body: bytes })
    for (const path of ["", "/etc/passwd", "a\u0000b", "x".repeat(4_097), 5]) {
      assert.strictEqual((await problem(await tell({ path, sha256: name })))[0], 400)
    }
    assert.strictEqual((await problem(await tell({ path: "x".repeat(256), sha256: name })))[0], 400)
    const elsewhere = await node.run(Effect.flatMap(Workspaces, ({ create }) => create("third", system)))
    const stranger = await register(node, elsewhere, { name: "t" })
    const theirs = await ticketFor(stranger, newId("Session") as SessionId)
    assert.strictEqual((await contents(`contents/${name}`, {}, stranger)).status, 403)
    assert.strictEqual((await tell({ path: "a", sha256: name }, runner, theirs)).status, 403)
    assert.strictEqual((await contents(`contents/${name}`, {}, stranger, theirs)).status, 404)
    assert.strictEqual((await tell({ path: "a", sha256: name }, stranger, theirs)).status, 404)
  })
})
