import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type Anthropic from "@anthropic-ai/sdk"
import { toFile } from "@anthropic-ai/sdk"
import { FileResource } from "@troupe/domain/api/SessionResources"
import { Schema } from "effect"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const uploads = "/mnt/session/uploads"

describe("resources of sessions, through the Anthropic SDK", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let agent: string
  let file: string
  beforeAll(async () => {
    world = await startGateway()
    agent = (await world.client.beta.agents.create({ name: "helper", model: "demo" })).id
    file = (await world.client.beta.files.upload({ file: await toFile(Buffer.from("a,b\n"), "data.csv") })).id
  }, 120_000)
  afterAll(() => world?.end())

  const sessions = () => world.client.beta.sessions
  const open = (...resources: ReadonlyArray<object>) => sessions().create({ agent, resources } as never)
  const given = (mount_path?: string | null) => ({
    type: "file" as const,
    file_id: file,
    ...(mount_path === undefined ? {} : { mount_path })
  })
  const refused = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (error: InstanceType<typeof Anthropic.APIError>) =>
        [error.status, (error.error as { error: { message: string } }).error.message] as const
    )
  const pathsOf = (resources: ReadonlyArray<object>) =>
    resources.map((one) => (one as { mount_path: string }).mount_path)

  it("are given when it is created, each at its place", async () => {
    const { id, resources } = await open(given(), given("/tmp/a.csv"), given(`${uploads}/b//./c.csv`), given("d"))
    assert.deepStrictEqual(pathsOf(resources), [
      `${uploads}/${file}`,
      `${uploads}/tmp/a.csv`,
      `${uploads}/b/c.csv`,
      `${uploads}/d`
    ])
    for (const one of resources) Schema.decodeUnknownSync(FileResource, { onExcessProperty: "error" })(one)
    const copies = new Set(resources.map((one) => (one as { file_id: string }).file_id))
    assert.deepStrictEqual([copies.size, copies.has(file)], [4, false])
    assert.deepStrictEqual((await sessions().retrieve(id)).resources, resources)
    const listed: Array<string> = []
    for await (const one of sessions().resources.list(id, { limit: 3 })) listed.push((one as { id: string }).id)
    assert.deepStrictEqual(listed, resources.map((one) => (one as { id: string }).id).sort())
  })

  it("may be an archive with which the working copy begins: one, from the beginning", async () => {
    const archive = { ...given("files.tar.gz"), troupe: { unpack: true } }
    const { id, resources } = await open(archive, given("a"))
    assert.deepStrictEqual(
      resources.map((one) => (one as { troupe?: object }).troupe),
      [{ unpack: true }, undefined]
    )
    for (const one of resources) Schema.decodeUnknownSync(FileResource, { onExcessProperty: "error" })(one)
    const two = await refused(open(archive, { ...archive, mount_path: "b" }))
    assert.deepStrictEqual(two, [400, "resources.1.troupe.unpack: the working copy begins with one archive"])
    const later = await refused(sessions().resources.add(id, { ...archive, mount_path: "b" } as never))
    assert.deepStrictEqual(later, [400, "troupe.unpack: is for sessions that begin"])
    assert.strictEqual((await refused(open({ ...archive, troupe: { unpack: "yes" } })))[0], 400)
  })

  it("are added, looked up and taken away", async () => {
    const { id, resources } = await open()
    assert.deepStrictEqual(resources, [])
    const added = await sessions().resources.add(id, given("x/data.csv"))
    assert.strictEqual(added.mount_path, `${uploads}/x/data.csv`)
    assert.deepStrictEqual(await sessions().resources.retrieve(added.id, { session_id: id }), added)
    assert.deepStrictEqual((await sessions().retrieve(id)).resources, [added])
    const copy = await world.client.beta.files.download(added.file_id)
    assert.strictEqual(await copy.text(), "a,b\n")
    const rotate = sessions().resources.update(added.id, { session_id: id, authorization_token: "t" })
    assert.strictEqual((await refused(rotate))[0], 400)
    const deleted = await sessions().resources.delete(added.id, { session_id: id })
    assert.deepStrictEqual(deleted, { id: added.id, type: "session_resource_deleted" } as never)
    const gone = await Promise.all([
      refused(sessions().resources.retrieve(added.id, { session_id: id })),
      refused(sessions().resources.delete(added.id, { session_id: id })),
      refused(world.client.beta.files.retrieveMetadata(added.file_id))
    ])
    assert.deepStrictEqual(
      gone.map(([status]) => status),
      [404, 404, 404]
    )
    assert.deepStrictEqual((await sessions().resources.list(id)).data, [])
    assert.strictEqual((await sessions().resources.add(id, given("x/data.csv"))).mount_path, added.mount_path)
  })

  it("stay when the file goes that they are copies of", async () => {
    const uploaded = await world.client.beta.files.upload({ file: await toFile(Buffer.from("stays"), "s.txt") })
    const { resources } = await open({ type: "file", file_id: uploaded.id })
    await world.client.beta.files.delete(uploaded.id)
    const [copy] = resources as unknown as ReadonlyArray<{ file_id: string }>
    assert.strictEqual(await (await world.client.beta.files.download(copy!.file_id)).text(), "stays")
    assert.strictEqual((await refused(open({ type: "file", file_id: uploaded.id })))[0], 404)
  })

  it("are refused where they lead out, hide one another, or are of another kind", async () => {
    const bad: ReadonlyArray<readonly [ReadonlyArray<object>, RegExp]> = [
      [[given("../x")], /^resources\.0\.mount_path: leads out/],
      [[given(`${uploads}/../../x`)], /^resources\.0\.mount_path: leads out/],
      [[given("/")], /^resources\.0\.mount_path: names no file/],
      [[given("a\u0001b")], /^resources\.0\.mount_path: holds characters/],
      [[given("x".repeat(256))], /^resources\.0\.mount_path: takes at most 255/],
      [[given(`${"x/".repeat(600)}y`)], /^resources\.0\.mount_path: takes at most 1024/],
      [[given("a"), given("/a")], /^resources\.1\.mount_path: .* overlaps with/],
      [[given("a/b"), given("a")], /^resources\.1\.mount_path: .* overlaps with/],
      [[given("a"), given("a/b")], /^resources\.1\.mount_path: .* overlaps with/],
      [[{ type: "file" }], /^resources\.0\.file_id/],
      [[{ ...given(), more: 1 }], /^resources\.0\.more/],
      [[{ type: "github_repository", url: "https://example.com/a" }], /^resources\.0\.type: .* not supported yet/],
      [[{ type: "memory_store", memory_store_id: "memstore_1" }], /^resources\.0\.type: .* not supported yet/],
      [[{ type: "folder" }], /^resources\.0\.type: takes file/],
      [Array.from({ length: 501 }, (_, n) => given(`${n}`)), /^resources: takes at most 500/]
    ]
    for (const [resources, message] of bad) {
      const [status, said] = await refused(open(...resources))
      assert.strictEqual(status, 400, said)
      assert.match(said, message)
    }
    const { id } = await open(given("a"))
    assert.match((await refused(sessions().resources.add(id, given("a/b"))))[1], /^mount_path: .* overlaps with/)
    const repository = { type: "github_repository", url: "https://example.com/a" }
    assert.strictEqual((await refused(sessions().resources.add(id, repository as never)))[0], 400)
    await sessions().archive(id)
    assert.strictEqual((await refused(sessions().resources.add(id, given("c"))))[0], 400)
  })

  it("are copied once under an idempotency key", async () => {
    const { id } = await open()
    const add = () =>
      world.fetch(`/v1/sessions/${id}/resources`, {
        method: "POST",
        body: JSON.stringify(given("once")),
        headers: { "content-type": "application/json", "idempotency-key": "once" }
      })
    assert.deepStrictEqual(await (await add()).json(), await (await add()).json())
    assert.strictEqual((await world.client.beta.files.list({ scope_id: id })).data.length, 1)
  })
})
