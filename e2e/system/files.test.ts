import { afterAll, assert, beforeAll, it } from "vitest"
import { type Anthropic, anthropicAt, toFile } from "../../packages/server/test/support/anthropic.ts"
import { requires } from "../../test/requires.ts"
import { allTools, System } from "../support/System.ts"
import { eventually } from "./waiting.ts"

const uploads = "/mnt/session/uploads"
const outputs = "/mnt/session/outputs"

requires(
  "postgres",
  "bubblewrap",
  "root"
)("files of sessions", () => {
  let system: System
  let client: Anthropic
  let agent: string

  beforeAll(async () => {
    system = await System.make(12)
    const node = await system.node()
    system.runner()
    client = anthropicAt(node.gateway)
    const tools = allTools as unknown as Anthropic.Beta.AgentCreateParams["tools"]
    agent = (await client.beta.agents.create({ name: "worker", model: "demo", tools: tools! })).id
  }, 180_000)
  afterAll(() => system.end(), 60_000)

  const upload = async (content: string, name: string) =>
    (await client.beta.files.upload({ file: await toFile(Buffer.from(content), name) })).id

  /** Has the agent do this, and answers what its tools said. */
  const turn = async (session: string, ...content: ReadonlyArray<object>) => {
    const events = async () => {
      const all: Array<Anthropic.Beta.Sessions.BetaManagedAgentsSessionEvent> = []
      for await (const event of client.beta.sessions.events.list(session)) all.push(event)
      return all
    }
    const idle = (all: ReadonlyArray<{ readonly type: string }>) =>
      all.filter(({ type }) => type === "session.status_idle").length
    const before = await events()
    await client.beta.sessions.events.send(session, { events: [{ type: "user.message", content }] as never })
    const after = await eventually("the turn ends", async () => {
      const now = await events()
      return idle(now) > idle(before) ? now : undefined
    })
    return JSON.stringify(after.slice(before.length))
  }
  const run = (session: string, command: string) => turn(session, { type: "text", text: `run: ${command}` })

  /** What the session made: names with their content, the newest first. */
  const made = async (session: string) => {
    const found: Array<readonly [string, string]> = []
    for await (const file of client.beta.files.list({ scope_id: session })) {
      const { troupe } = file as unknown as { troupe: { path: string | null } }
      if (troupe.path !== null) found.push([troupe.path, await (await client.beta.files.download(file.id)).text()])
    }
    return found
  }

  it("are read where they are mounted, and made where they are left", { timeout: 180_000 }, async () => {
    const given = { type: "file" as const, file_id: await upload("one,two\n", "data.csv"), mount_path: "in/data.csv" }
    const { id } = await client.beta.sessions.create({ agent, resources: [given] } as never)
    const first = await run(
      id,
      `mkdir ${outputs}/d; tr a-z A-Z < ${uploads}/in/data.csv > ${outputs}/d/upper.csv; ln -s /etc/passwd ${outputs}/link; ln /etc/hostname ${outputs}/hard; touch ${uploads}/in/data.csv || echo kept; rm -f ${uploads}/in/data.csv || echo there`
    )
    assert.match(first, /Read-only file system/)
    assert.deepStrictEqual(await made(id), [[`${outputs}/d/upper.csv`, "ONE,TWO\n"]])

    const more = await upload("more", "more.txt")
    const added = await client.beta.sessions.resources.add(id, { type: "file", file_id: more, mount_path: "more.txt" })
    const second = await run(id, `cat ${uploads}/in/data.csv ${uploads}/more.txt; echo new > ${outputs}/d/upper.csv`)
    assert.include(second, "one,two\\nmore")
    assert.deepStrictEqual(await made(id), [
      [`${outputs}/d/upper.csv`, "new\n"],
      [`${outputs}/d/upper.csv`, "ONE,TWO\n"]
    ])

    await client.beta.sessions.resources.delete(added.id, { session_id: id })
    assert.include(await run(id, `ls -R ${uploads} | tr '\\n' ' '`), `${uploads}/in: data.csv `)
    assert.strictEqual((await made(id)).length, 2)

    await client.beta.sessions.delete(id)
    const gone = client.beta.files.list({ scope_id: id })
    assert.deepStrictEqual((await gone).data, [])
  })

  it("are told to the model, and so is a message that is too long for the log", { timeout: 180_000 }, async () => {
    const { id } = await client.beta.sessions.create({ agent } as never)
    const padding = "nothing to do in this line\n".repeat(10_000)
    const said = await turn(id, { type: "text", text: `${padding}run: echo far > ${outputs}/far` })
    assert.include(said, "Done")
    assert.deepStrictEqual(await made(id), [[`${outputs}/far`, "far\n"]])
  })

  it("that are large go through in pieces", { timeout: 180_000 }, async () => {
    const { id } = await client.beta.sessions.create({ agent } as never)
    await run(id, `head -c 16M /dev/urandom > ${outputs}/large; sha256sum ${outputs}/large > ${outputs}/sum`)
    const [large, sum] = (await client.beta.files.list({ scope_id: id })).data.toSorted(
      (a, b) => b.size_bytes - a.size_bytes
    )
    assert.strictEqual(large!.size_bytes, 16 * 1_048_576)
    const { sha256 } = (large as unknown as { troupe: { sha256: string } }).troupe
    assert.include(await (await client.beta.files.download(sum!.id)).text(), sha256)
    const again = { type: "file" as const, file_id: large!.id, mount_path: "large" }
    const other = await client.beta.sessions.create({ agent, resources: [again] } as never)
    assert.include(await run(other.id, `sha256sum ${uploads}/large`), sha256)
  })
})
