import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { type Content, text } from "@troupe/domain/session/Content"
import type { TurnOverrides } from "@troupe/domain/session/Input"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { requires } from "../../test/requires.ts"
import { allTools, System, wordsOf } from "../support/System.ts"
import { only } from "./waiting.ts"

const tool = (name: string, schema: object = {}) => ({
  type: "custom",
  name,
  description: "Does something.",
  input_schema: { type: "object", ...schema }
})

requires(
  "postgres",
  "bubblewrap",
  "root"
)("A session", () => {
  let system: System
  let session: SessionId
  let turns = 0

  beforeAll(async () => {
    system = await System.make()
    await system.node()
    system.runner()
    session = await system.open(system.nodes[0]!, {
      tools: [
        ...allTools,
        tool("bash"),
        tool("odd", { properties: { a: { type: "text" } } }),
        ...Array.from({ length: 300 }, (_, index) => tool(`tool_${index}`))
      ]
    })
  }, 120_000)
  afterAll(() => system.end(), 60_000)

  /** What a turn left in the log, whatever came of it. */
  const turn = async (content: Content, overrides: TurnOverrides = {}): Promise<ReadonlyArray<SessionEvent>> => {
    const before = (await system.log(session)).length
    const message = system.message("", { content, overrides })
    await system.send(system.nodes[0]!, session, { _tag: "Send", inputs: [message] })
    return (await system.turnsEnded(session, ++turns)).slice(before)
  }
  const noted = (events: ReadonlyArray<SessionEvent>) => only(events, "PlatformNoted")
  const results = (events: ReadonlyArray<SessionEvent>) => wordsOf(only(events, "ToolFinished"))
  const answersStill = async () => {
    const events = await turn(text("say: still here"))
    assert.include(wordsOf(only(events, "MessageBlock")), "still here")
    assert.lengthOf(only(events, "TurnCompleted"), 1)
  }

  it("says which tools it can't give, and works with the others", { timeout: 120_000 }, async () => {
    const events = await turn(text("run: echo works"))
    assert.include(results(events), "works")
    const told = noted(events).map(({ code, message }) => `${code} ${message}`)
    assert.isTrue(told.some((one) => /^tool_duplicate .*bash/.test(one)))
    assert.isTrue(told.some((one) => /^tool_invalid .*odd/.test(one)))
    assert.isTrue(told.some((one) => one.startsWith("tool_too_many")))
    await answersStill()
  })

  it(
    "outlives 10 MB of output, bytes that are no text, and arguments that are none",
    { timeout: 120_000 },
    async () => {
      const large = await turn(text("run: head -c 10000000 /dev/zero | tr '\\0' x"))
      assert.isBelow(results(large).length, 200_000)
      assert.match(results(large), /xxx/)
      const strange = await turn(text(String.raw`call bash {"command":"printf 'a\\xff\\x00b \ud83d'; echo \u0000"}`))
      assert.lengthOf(only(strange, "ToolFinished"), 1)
      assert.lengthOf(only(strange, "TurnCompleted"), 1)
      const wrong = await turn(text('call bash {"command":7}\ncall nothing {"a":1}'))
      assert.match(results(wrong), /The arguments of bash are not what it takes:\n.*command/)
      assert.match(results(wrong), /nothing/)
      await answersStill()
    }
  )

  it("outlives pictures that are none, and models that nobody serves", { timeout: 120_000 }, async () => {
    const picture = { type: "base64", mediaType: "image/png", data: "bm8gcGljdHVyZQ==" } as const
    const blind = await turn([{ type: "image", source: picture }, ...text("say: seen")])
    assert.include(
      noted(blind).map(({ code }) => code),
      "content_unreadable"
    )
    assert.lengthOf(only(blind, "TurnCompleted"), 1)
    const nobody = await turn(text("hello"), { model: "nobody/knows-it" })
    const [failed] = only(nobody, "TurnFailed")
    assert.strictEqual(failed?.error.code, "model_unknown")
    assert.lengthOf(only(nobody, "AttemptStarted"), 1)
    await answersStill()
  })

  it("shows all of it over the API", { timeout: 120_000 }, async () => {
    const { data } = await system.nodes[0]!.api<{ readonly data: ReadonlyArray<{ readonly type: string }> }>(
      `/sessions/${session}/events?limit=1000`
    )
    const types = new Set(data.map(({ type }) => type))
    for (const type of ["agent.tool_result", "agent.message", "session.error"]) assert.isTrue(types.has(type), type)
  })
})
