import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import Anthropic, { toFile } from "@anthropic-ai/sdk"
import Before1 from "anthropic-sdk-0.120"
import { File as FileObject } from "@troupe/domain/api/Files"
import { fromUuid } from "@troupe/domain/Ids"
import { Clock, Effect, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { createHash, randomBytes } from "node:crypto"
import { request } from "node:http"
import { sweep } from "../../src/files/FileSweep.ts"
import { apiKey } from "../support/apiKey.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"
import { rangedText, takesRanges } from "./ranges.ts"

const unknownFile = `file_01${"1".repeat(22)}`

describe("files, through the Anthropic SDK", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let agent: string
  beforeAll(async () => {
    world = await startGateway()
    agent = (await world.client.beta.agents.create({ name: "helper", model: "demo" })).id
  }, 120_000)
  afterAll(() => world?.end())

  const files = () => world.client.beta.files
  const sessions = () => world.client.beta.sessions
  const send = async (content: string | Uint8Array, name: string, more: object = {}, type?: string) =>
    files().upload({ file: await toFile(Buffer.from(content), name, type === undefined ? {} : { type }), ...more })
  const refused = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (error: InstanceType<typeof Anthropic.APIError>) =>
        [error.status, (error.error as { error: { message: string } }).error.message] as const
    )
  const allRefused = async (id: string) => {
    const calls = [files().retrieveMetadata(id), files().download(id), files().delete(id)]
    return (await Promise.all(calls.map(refused))).map(([status]) => status)
  }
  const textOf = async (id: string) => (await files().download(id)).text()
  const listed = async (query: object = {}) => {
    const found: Array<string> = []
    for await (const file of files().list({ limit: 2, ...query })) found.push(file.id)
    return found
  }
  const sql = <A>(work: (sql: SqlClient.SqlClient) => Effect.Effect<A, unknown>) =>
    world.node.run(Effect.orDie(Effect.flatMap(SqlClient.SqlClient, work)))
  const form = (parts: ReadonlyArray<readonly [string, string | Blob, string?]>) => {
    const body = new FormData()
    for (const [name, value, filename] of parts) {
      if (typeof value === "string") body.append(name, value)
      else body.append(name, value, filename)
    }
    return world.fetch("/v1/files", { method: "POST", body })
  }

  it("come back as they were sent, with their hash", async () => {
    const bytes = randomBytes(3_000_000)
    const made = await send(bytes, "some/where\\data.bin")
    Schema.decodeUnknownSync(FileObject)(JSON.parse(JSON.stringify(made)))
    const { created_at, id, ...rest } = made
    assert.match(id, /^file_01/)
    assert.closeTo(Date.parse(created_at), Date.now(), 60_000)
    assert.deepStrictEqual(rest as unknown, {
      type: "file",
      filename: "data.bin",
      mime_type: "application/octet-stream",
      size_bytes: 3_000_000,
      downloadable: true,
      expires_at: null,
      scope: null,
      troupe: { sha256: createHash("sha256").update(bytes).digest("hex"), path: null }
    })
    assert.deepStrictEqual(await files().retrieveMetadata(id), made)
    assert.isTrue(Buffer.from(await (await files().download(id)).arrayBuffer()).equals(bytes))
    assert.deepStrictEqual(await files().delete(id), { id, type: "file_deleted" } as never)
    assert.deepStrictEqual(await allRefused(id), [404, 404, 404])
  })

  it("are listed page by page for SDKs before 1.0 as well", async () => {
    const old = new Before1({ apiKey, baseURL: world.node.gateway, maxRetries: 0 })
    const made: Array<string> = []
    for (let n = 0; n < 5; n++) made.unshift((await send(String(n), `${n}.txt`)).id)
    const found: Array<string> = []
    for await (const file of old.beta.files.list({ limit: 2 })) if (made.includes(file.id)) found.push(file.id)
    assert.deepStrictEqual(found, made)
    const page = await old.beta.files.list({ limit: 2, after_id: made[0]! })
    assert.deepStrictEqual([page.first_id, page.last_id, page.has_more], [made[1], made[2], true])
    assert.deepStrictEqual(Object.keys((await (await world.fetch("/v1/files?limit=1")).json()) as object), [
      "data",
      "next_page"
    ])
    for (const query of [`after_id=${unknownFile}`, "after_id=nonsense", `after_id=${made[0]}&page=page_x`]) {
      assert.oneOf((await world.fetch(`/v1/files?${query}`)).status, [400, 404], query)
    }
  })

  it("are called and typed by what was sent", async () => {
    const named = async (name: string, type?: string) => {
      const { filename, mime_type } = await send("x", name, {}, type)
      return [filename, mime_type]
    }
    assert.deepStrictEqual(await named("a.csv"), ["a.csv", "text/csv"])
    assert.deepStrictEqual(await named("page.html", "text/plain"), ["page.html", "text/plain"])
    assert.deepStrictEqual(await named("data.json", "application/json"), ["data.json", "application/json"])
    assert.deepStrictEqual(await named("ünïcode 文.txt"), ["ünïcode 文.txt", "text/plain"])
    const blank = async (...part: [string | Blob, string?]) =>
      ((await (await form([["file", ...part]])).json()) as { filename: string }).filename
    assert.strictEqual(await blank(new Blob(["%PDF"], { type: "application/pdf" }), ""), "unnamed.pdf")
    assert.strictEqual(await blank(new Blob(["x"]), "folder/"), "unnamed")
    assert.strictEqual(await blank("just text"), "unnamed")
  })

  it("never show as a page, and come in parts to those who ask", async () => {
    const { id } = await send(rangedText, "a b ü.html")
    const get = (headers: Record<string, string> = {}, method = "GET") =>
      world.fetch(`/v1/files/${id}/content`, { method, headers })
    const whole = await get()
    const header = (name: string) => whole.headers.get(name)
    assert.strictEqual(header("content-type"), "text/html")
    assert.strictEqual(
      header("content-disposition"),
      `attachment; filename="a b _.html"; filename*=UTF-8''a%20b%20%C3%BC.html`
    )
    assert.strictEqual(header("x-content-type-options"), "nosniff")
    assert.match(header("content-security-policy")!, /^sandbox/)
    assert.strictEqual(header("content-length"), "25")
    await takesRanges(get)
    assert.strictEqual((await get({ "if-none-match": header("etag")! })).status, 304)
    const head = await get({}, "HEAD")
    assert.deepStrictEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "25", ""])
  })

  it("are listed, the newest first, in pages, by their ids and by their scope", async () => {
    const made: Array<string> = []
    for (let n = 0; n < 5; n++) made.push((await send(`${n}`, `${n}.txt`)).id)
    assert.deepStrictEqual((await listed()).slice(0, 5), made.toReversed())
    const some = await files().list({ ids: [made[1]!, made[3]!, made[1]!, unknownFile, "nonsense"] })
    assert.deepStrictEqual([some.data.map(({ id }) => id), some.next_page], [[made[3], made[1]], null] as never)
    assert.strictEqual((await refused(files().list({ ids: [made[0]!], limit: 5 })))[0], 400)
    const many = Array.from({ length: 101 }, (_, n) => `file_${n}`)
    assert.strictEqual((await refused(files().list({ ids: many })))[0], 400)
    assert.strictEqual((await refused(files().list({ page: "page_x" })))[0], 400)
    assert.strictEqual((await refused(files().list({ scope_id: "nonsense" })))[0], 400)
    const { id } = await sessions().create({ agent, resources: [{ type: "file", file_id: made[0]! }] } as never)
    const [copy, ...none] = await listed({ scope_id: id })
    assert.deepStrictEqual([none, copy === made[0]], [[], false])
    const file = await files().retrieveMetadata(copy!)
    assert.deepStrictEqual([file.scope, file.filename], [{ type: "session", id }, "0.txt"])
    await files().delete(made[0]!)
    assert.strictEqual(await textOf(copy!), "0")
    await sessions().delete(id)
    assert.strictEqual((await refused(files().retrieveMetadata(copy!)))[0], 404)
  })

  it("expire", async () => {
    const { expires_at, id } = await send("x", "x.txt", { expires_in_seconds: 3_600 })
    assert.closeTo(Date.parse(expires_at!), Date.now() + 3_600_000, 60_000)
    await sql((sql) => sql`UPDATE files SET expires_at = 1 WHERE filename = 'x.txt' AND expires_at IS NOT NULL`)
    for (const gone of [() => files().retrieveMetadata(id), () => files().download(id)]) {
      const error = await gone().then(
        () => assert.fail("it is there"),
        (error: unknown) => error
      )
      assert.instanceOf(error, Anthropic.NotFoundError)
      assert.strictEqual((error as unknown as { errorCode: string }).errorCode, "file_expired")
    }
    assert.notInclude(await listed(), id)
    for (const seconds of ["3599", "7776001", "1e4", "soon"]) {
      const response = await form([
        ["file", new Blob(["x"]), "x"],
        ["expires_in_seconds", seconds]
      ])
      assert.strictEqual(response.status, 400, seconds)
    }
  })

  it("are refused where a body is none, or too large, and leave nothing", async () => {
    const before = await listed()
    const blob = new Blob(["x"])
    const bad: ReadonlyArray<readonly [Promise<Response>, number]> = [
      [form([]), 400],
      [form([["expires_in_seconds", "3600"]]), 400],
      [
        form([
          ["file", blob, "a"],
          ["file", blob, "b"]
        ]),
        400
      ],
      [form([["other", blob, "a"]]), 400],
      [form([["file", blob, "x".repeat(256)]]), 400],
      [form([["file", blob, "a\u0007b"]]), 400],
      [world.fetch("/v1/files", { method: "POST", body: "{}", headers: { "content-type": "application/json" } }), 400],
      [
        world.fetch("/v1/files", {
          method: "POST",
          body: "not parts",
          headers: { "content-type": "multipart/form-data; boundary=x" }
        }),
        400
      ],
      [
        world.fetch("/v1/files", { method: "POST", body: "x", headers: { "content-type": "multipart/form-data" } }),
        400
      ],
      [form([["file", new Blob([new Uint8Array(8 * 1_048_576 + 1)]), "large"]]), 413]
    ]
    for (const [call, status] of bad) {
      const response = await call
      const body = (await response.json()) as { type: string; error: { message: string } }
      assert.deepStrictEqual([response.status, body.type], [status, "error"], body.error.message)
    }
    // Broken off in the middle, by whom nobody knows.
    await new Promise<void>((resolve) => {
      const { hostname, port } = new URL(world.node.gateway)
      const headers = {
        "x-api-key": apiKey,
        "content-type": "multipart/form-data; boundary=x",
        "content-length": "9999"
      }
      const half = request({ hostname, port, path: "/v1/files", method: "POST", headers })
      half.on("error", () => resolve())
      half.write(`--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf`, () => half.destroy())
      half.on("close", () => resolve())
    })
    assert.deepStrictEqual(await listed(), before)
  })

  it("are made once under an idempotency key", async () => {
    const upload = (content: string) => {
      const body = new FormData()
      body.append("file", new Blob([content]), "once.txt")
      return world.fetch("/v1/files", { method: "POST", body, headers: { "idempotency-key": "once" } })
    }
    const [first, again, other] = [await upload("a"), await upload("a"), await upload("b")]
    assert.deepStrictEqual(await first.json(), await again.json())
    assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
    assert.strictEqual(other.status, 409)
  })

  it("are nobody else's", async () => {
    const { id } = await send("mine", "mine.txt")
    const reader = await world.fetch("/v1/tokens", {
      method: "POST",
      body: JSON.stringify({ kind: "api_key", name: "r", scopes: ["read"] }),
      headers: { "content-type": "application/json" }
    })
    const { secret } = (await reader.json()) as { secret: string }
    const client = world.clientOf(secret)
    assert.strictEqual(await (await client.beta.files.download(id)).text(), "mine")
    assert.strictEqual((await refused(client.beta.files.delete(id)))[0], 403)
    assert.strictEqual((await refused(client.beta.files.upload({ file: await toFile(Buffer.from("x"), "x") })))[0], 403)
    await sql(
      (sql) => sql`
      WITH other AS (
        INSERT INTO workspaces (workspace_id, name) VALUES (gen_random_uuid(), 'other') RETURNING workspace_id
      ), content AS (
        INSERT INTO file_contents
          SELECT o.workspace_id, c.sha256, c.size_bytes, c.wanted_at FROM other o, file_contents c LIMIT 1
          RETURNING workspace_id, sha256
      )
      INSERT INTO files (file_id, workspace_id, origin, filename, mime_type, size_bytes, sha256, created_at)
      SELECT '00000000-0000-7000-8000-000000000001', workspace_id, 'upload', 'theirs', 'x/y', 1, sha256, 1 FROM content`
    )
    const [theirs] = await sql(
      (sql) => sql<{ n: number }>`SELECT count(*)::int AS n FROM files WHERE filename = 'theirs'`
    )
    assert.strictEqual(theirs!.n, 1)
    const foreign = fromUuid("file", "00000000-0000-7000-8000-000000000001")
    assert.deepStrictEqual(await allRefused(foreign), [404, 404, 404])
    const give = sessions().create({ agent, resources: [{ type: "file", file_id: foreign }] } as never)
    assert.deepStrictEqual(await refused(give), [404, `resources.0.file_id: File ${foreign} was not found.`])
    assert.strictEqual((await refused(files().retrieveMetadata(unknownFile)))[0], 404)
    assert.strictEqual((await refused(files().retrieveMetadata("nonsense")))[0], 400)
  })

  it("are swept away with their content once nobody needs them", async () => {
    const bytes = randomBytes(1_000)
    const [one, two] = [await send(bytes, "one"), await send(bytes, "two")]
    const pieces = async () => {
      const hash = createHash("sha256").update(bytes).digest()
      const [row] = await sql(
        (sql) => sql<{ n: number }>`SELECT count(*)::int AS n FROM file_pieces WHERE sha256 = ${hash}`
      )
      return row!.n
    }
    const later = (hours: number) =>
      world.node.run(Effect.orDie(Effect.flatMap(Clock.currentTimeMillis, (now) => sweep(now + hours * 3_600_000))))
    await files().delete(one.id)
    await later(2)
    assert.strictEqual(await pieces(), 2)
    await files().delete(two.id)
    await later(0)
    assert.strictEqual(await pieces(), 2)
    await later(2)
    assert.strictEqual(await pieces(), 0)
    const again = await send(bytes, "again")
    assert.isTrue(Buffer.from(await (await files().download(again.id)).arrayBuffer()).equals(bytes))
  })
})
