import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type Anthropic from "@anthropic-ai/sdk"
import { toFile } from "@anthropic-ai/sdk"
import { randomBytes } from "node:crypto"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const unknownFile = `file_01${"1".repeat(22)}`

describe("content of events, through the Anthropic SDK", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let agent: string
  beforeAll(async () => {
    world = await startGateway()
    agent = (await world.client.beta.agents.create({ name: "helper", model: "demo" })).id
  }, 120_000)
  afterAll(() => world?.end())

  const sessions = () => world.client.beta.sessions
  const open = async () => (await sessions().create({ agent } as never)).id
  const message = (...content: ReadonlyArray<object>) => ({ type: "user.message", content })
  const send = async (id: string, ...events: ReadonlyArray<object>) =>
    (await sessions().events.send(id, { events: events as never })).data! as unknown as ReadonlyArray<{
      content: ReadonlyArray<object>
      rubric: object
    }>
  const messages = async (id: string) => {
    const found: Array<ReadonlyArray<object>> = []
    for await (const event of sessions().events.list(id, { types: ["user.message"] })) {
      found.push((event as unknown as { content: ReadonlyArray<object> }).content)
    }
    return found
  }
  const logOf = async (id: string) => await (await world.fetch(`/v1/sessions/${id}/log`)).text()
  const upload = async (content: string, name: string) =>
    (await world.client.beta.files.upload({ file: await toFile(Buffer.from(content), name) })).id
  const image = (source: object) => ({ type: "image", source })
  const document = (source: object) => ({ type: "document", source })
  const base64 = (bytes: number, media_type: string) => ({
    type: "base64",
    media_type,
    data: randomBytes(bytes).toString("base64")
  })
  const refused = (call: Promise<unknown>) =>
    call.then(
      () => assert.fail("it was not refused"),
      (error: InstanceType<typeof Anthropic.APIError>) =>
        [error.status, (error.error as { error: { message: string } }).error.message] as const
    )

  it("is beside the log where it is large, and shown as it was sent", async () => {
    const id = await open()
    const content = [
      image(base64(300_000, "image/png")),
      document(base64(6_000_000, "application/pdf")),
      document({ type: "text", media_type: "text/plain", data: "ä long ".repeat(100_000) }),
      { type: "text", text: "Lies 漢字. ".repeat(200_000) },
      image(base64(1_000, "image/png")),
      { type: "text", text: "short" }
    ]
    const [sent] = await send(id, message(...content))
    assert.deepStrictEqual(sent!.content, content)
    assert.deepStrictEqual(await messages(id), [content])
    const log = await logOf(id)
    assert.isBelow(log.length, 100_000)
    assert.include(log, "Lies 漢字. Lies")
  })

  it("is taken where many blocks are large together", async () => {
    const id = await open()
    const content = Array.from({ length: 60 }, () => image(base64(45_000, "image/png")))
    const [sent] = await send(id, message(...content))
    assert.deepStrictEqual(sent!.content, content)
  })

  it("names files, which are looked up when it is sent", async () => {
    const id = await open()
    const [png, pdf, text, zip] = [
      await upload("png", "a.png"),
      await upload("pdf", "a.pdf"),
      await upload("# words", "a.md"),
      await upload("zip", "a.zip")
    ]
    const file = (file_id: string) => ({ type: "file", file_id })
    const content = [image(file(png)), { ...document(file(pdf)), title: "t" }, document(file(text))]
    const [sent] = await send(id, message(...content))
    assert.deepStrictEqual(sent!.content, content)
    assert.match(
      await logOf(id),
      new RegExp(`"fileId":"${png}","content":\\{"sha256":"\\w{64}","bytes":3,"mediaType":"image/png"\\}`)
    )
    const bad: ReadonlyArray<readonly [object, number, RegExp]> = [
      [image(file(unknownFile)), 404, /^events\.0\.content\.0\.source\.file_id: File .* was not found/],
      [image(file("nonsense")), 400, /^events\.0\.content\.0/],
      [image(file(pdf)), 400, /is application\/pdf, which makes no image/],
      [document(file(zip)), 400, /is application\/zip, which makes no document/]
    ]
    for (const [block, status, words] of bad) {
      const [said, text] = await refused(send(id, message(block)))
      assert.strictEqual(said, status, text)
      assert.match(text, words)
    }
    const first = { agent, initial_events: [message(image(file(unknownFile)))] }
    assert.match(
      (await refused(sessions().create(first as never)))[1],
      /^initial_events\.0\.content\.0\.source\.file_id/
    )
    assert.strictEqual((await messages(id)).length, 1)
  })

  it("takes a rubric from a file", async () => {
    const id = await open()
    const outcome = (file_id: string) => ({
      type: "user.define_outcome",
      description: "done well",
      rubric: { type: "file", file_id }
    })
    const [sent] = await send(id, outcome(await upload("be good", "rubric.md")))
    assert.deepStrictEqual(sent!.rubric, { type: "text", content: "be good" })
    assert.strictEqual((await refused(send(id, outcome(await upload("x", "x.png")))))[0], 400)
    assert.strictEqual((await refused(send(id, outcome(await upload("x".repeat(262_145), "long.txt")))))[0], 400)
    assert.strictEqual((await refused(send(id, outcome(unknownFile))))[0], 404)
  })
})
