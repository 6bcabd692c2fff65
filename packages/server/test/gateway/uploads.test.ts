import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Upload } from "@troupe/domain/api/Uploads"
import type { FileId, TokenId, WorkspaceId } from "@troupe/domain/Ids"
import { Effect, Schema } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { request } from "node:http"
import * as UploadGrant from "../../src/files/UploadGrant.ts"
import { newId } from "../support/LogWriter.ts"
import { type Answer, type Ask, asHolderOf, asOwner, made, refused } from "./asking.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex")

describe("uploads without a key", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let ask: Ask
  beforeAll(async () => {
    world = await startGateway()
    ask = asOwner(world)
  }, 120_000)
  afterAll(() => world?.end())

  const promised = async (body: object, by = ask, headers = {}) => {
    const upload = made(await by("POST", "/v1/uploads", body, headers))
    Schema.decodeUnknownSync(Upload)(upload)
    return upload
  }
  /** As somebody who has nothing but the address. */
  const put = async (url: string, body: Uint8Array | string): Promise<Answer> => {
    const response = await fetch(url, { method: "PUT", body: new Blob([body as string]) })
    const text = await response.text()
    return { status: response.status, body: JSON.parse(text), text }
  }
  const codeOf = ({ body, status }: Answer) => [status, body.error.details?.error_code ?? null]
  const isThere = async (id: string) => (await ask("GET", `/v1/files/${id}`)).status === 200

  it("make the file that was promised, with the hash of what came", async () => {
    const bytes = randomBytes(3_000_000)
    const upload = await promised({ filename: "some/where\\report.pdf", expires_in_seconds: 3_600 })
    assert.isTrue(upload.url.startsWith(`${world.node.gateway}/v1/uploads?grant=`))
    assert.isFalse(await isThere(upload.file_id))
    const file = made(await put(upload.url, bytes))
    assert.deepInclude(file, { id: upload.file_id, filename: "report.pdf", mime_type: "application/pdf" })
    assert.deepInclude(file, { size_bytes: bytes.length, troupe: { sha256: sha256(bytes), path: null } })
    assert.isNotNull(file.expires_at)
    const content = await world.fetch(`/v1/files/${file.id}/content`)
    assert.isTrue(Buffer.from(await content.arrayBuffer()).equals(bytes))
    // The answer to it may have been lost on its way.
    assert.deepStrictEqual(made(await put(upload.url, bytes)), file)
  })

  it("take one file an address, and no other content after it", async () => {
    const { file_id, url } = await promised({ filename: "a.txt" })
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => put(url, `content ${n % 2}`)))
    assert.deepStrictEqual(answers.map(({ status }) => status).toSorted(), [
      ...Array.from({ length: 5 }, () => 200),
      ...Array.from({ length: 5 }, () => 409)
    ])
    assert.deepStrictEqual(made(await ask("DELETE", `/v1/files/${file_id}`)).id, file_id)
    assert.strictEqual((await put(url, "another")).status, 409)
    assert.isFalse(await isThere(file_id))
  })

  it("are held to the hash and the size that were named", async () => {
    const promise = { filename: "a.txt", sha256: sha256("right"), size_bytes: 5 }
    const { bytes_max, file_id, url } = await promised(promise)
    assert.strictEqual(bytes_max, 5)
    assert.deepStrictEqual(codeOf(await put(url, "wrong")), [400, "sha256_mismatch"])
    assert.deepStrictEqual(codeOf(await put(url, "no")), [400, "size_mismatch"])
    assert.strictEqual((await put(url, "too long for it")).status, 413)
    assert.isFalse(await isThere(file_id))
    assert.strictEqual(made(await put(url, "right")).troupe.sha256, promise.sha256)
    const tooMuch = { filename: "a", size_bytes: 9 * 1_048_576 }
    assert.strictEqual((await ask("POST", "/v1/uploads", tooMuch)).status, 413)
  })

  it("end with the file's largest size also where none was named, and where it breaks off", async () => {
    const { file_id, url } = await promised({ filename: "a.bin" })
    assert.strictEqual((await put(url, new Uint8Array(8 * 1_048_576 + 1))).status, 413)
    await new Promise<void>((resolve) => {
      const half = request(url, { method: "PUT", headers: { "content-length": 1_000 } })
      half.once("error", () => undefined)
      half.once("close", () => resolve())
      half.write("half of it", () => half.destroy())
    })
    assert.isFalse(await isThere(file_id))
    assert.strictEqual(made(await put(url, "whole")).size_bytes, 5)
  })

  it("are promised once under a key, at an address that is kept nowhere", async () => {
    const again = () => promised({ filename: "once.txt" }, ask, { "idempotency-key": "promise" })
    const [one, two] = [await again(), await again()]
    assert.strictEqual(one.file_id, two.file_id)
    made(await put(one.url, "x"))
    assert.strictEqual((await put(two.url, "y")).status, 409)
  })

  it("open by no address that was changed, made up, or given out by a token that is gone", async () => {
    const { url } = await promised({ filename: "a.txt" })
    const grant = url.split("=").at(-1) as string
    const changed = `${grant.slice(0, 100)}${grant[100] === "A" ? "B" : "A"}${grant.slice(101)}`
    for (const made_up of [changed, grant.slice(0, -4), "x", "a".repeat(9_000), "%00", "..", "AAAA"]) {
      const response = await fetch(`${world.node.gateway}/v1/uploads?grant=${made_up}`, { method: "PUT", body: "x" })
      assert.oneOf(response.status, [400, 401, 404], made_up.slice(0, 20))
      assert.strictEqual((JSON.parse(await response.text()) as { type: string }).type, "error")
    }
    assert.deepStrictEqual(codeOf(await put(url.replace(grant, changed), "x")), [401, "upload_unknown"])

    const token = made(await ask("POST", "/v1/tokens", { kind: "api_key", name: "k", scopes: ["write"] }))
    const theirs = made(await ask("POST", "/v1/uploads", { filename: "b.txt" }, { "x-api-key": token.secret }))
    made(await ask("DELETE", `/v1/tokens/${token.id}`))
    assert.deepStrictEqual(codeOf(await put(theirs.url, "x")), [401, "upload_revoked"])
    assert.isFalse(await isThere(theirs.file_id))
  })

  it("end in time", async () => {
    const grant = {
      fileId: newId("File") as FileId,
      workspaceId: newId("Workspace") as WorkspaceId,
      tokenId: newId("Token") as TokenId,
      actor: { type: "system" },
      ...{ filename: "a", mimeType: "text/plain", sizeBytes: null, sha256: null, expiresInSeconds: null }
    } as const
    const at = async (endsAt: number) => {
      const sealed = await world.node.run(Effect.orDie(UploadGrant.seal({ ...grant, endsAt })))
      return codeOf(await put(`${world.node.gateway}/v1/uploads?grant=${sealed}`, "x"))
    }
    assert.deepStrictEqual(await at(Date.now() - 1), [401, "upload_expired"])
    // A token of nobody, which is looked for where the time is not over.
    assert.deepStrictEqual(await at(Date.now() + 60_000), [401, "upload_revoked"])
  })

  it("are promised to those who may write", async () => {
    const reader = await asHolderOf(world, ["read"])
    assert.strictEqual(refused(await reader("POST", "/v1/uploads", { filename: "a" }))[0], 403)
    for (const body of [
      {},
      { filename: "a\0" },
      { filename: "a", valid_for_seconds: 1 },
      { filename: "a", sha256: "x" }
    ]) {
      assert.strictEqual(refused(await ask("POST", "/v1/uploads", body))[0], 400, JSON.stringify(body))
    }
    const { url } = await promised({ filename: "a.txt" })
    assert.strictEqual((await fetch(url)).status, 405)
  })
})
