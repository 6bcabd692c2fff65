import { afterAll, assert, beforeAll, it } from "vitest"
import { buildConsole } from "../../scripts/console.mjs"
import { requires } from "../../test/requires.ts"
import { LongSession } from "./LongSession.ts"
import { Visitor } from "./Visitor.ts"

const long = 240_000
const events = 50_000

requires("chromium")("a session of 50,000 events in a browser", () => {
  let session: LongSession
  let visitor: Visitor

  beforeAll(async () => {
    const built = buildConsole()
    assert.isTrue(built?.ok ?? true, built?.output)
    session = await LongSession.make(2_000)
    visitor = await Visitor.come()
    await visitor.watchTasks()
    await visitor.page.goto(`${session.origin}${LongSession.path}`)
    await shown()
  }, long)
  afterAll(async () => {
    await visitor?.leave()
    await session?.end()
  }, 60_000)

  /** Everything that has happened is taken up. */
  const shown = async () => {
    await visitor.page.getByRole("status", { name: "Live" }).waitFor()
    await visitor.page.waitForFunction(
      `Number(document.querySelector("[data-events]")?.getAttribute("data-events")) >= ${session.length}`,
      undefined,
      { timeout: 120_000 }
    )
  }

  it("keeps the page as small as it was, and what is kept of an event small", { timeout: long }, async () => {
    const before = { elements: await visitor.elements(), bytes: await visitor.heapBytes() }
    while (session.length < events) session.tell(1_000)
    await shown()
    const after = { elements: await visitor.elements(), bytes: await visitor.heapBytes() }
    const bytesPerEvent = (after.bytes - before.bytes) / (events - 2_000)
    console.log({
      first_paint_ms: await visitor.firstPaintMs(),
      before,
      after,
      bytesPerEvent: Math.round(bytesPerEvent)
    })
    assert.isBelow(after.elements, before.elements * 1.5)
    // An event of this log is some 700 bytes of JSON.
    assert.isBelow(bytesPerEvent, 6_000)
  })

  it(
    "draws 200 events a second without anything that takes as long as reading it all would",
    { timeout: long },
    async () => {
      const whole = Math.max(0, ...(await visitor.takeTasks()))
      await session.flow(200, 4)
      await shown()
      const tasks = await visitor.takeTasks()
      console.log({ tasks_over_50_ms: tasks.length, longest_ms: Math.max(0, ...tasks), longest_before_ms: whole })
      assert.isBelow(tasks.length, 80)
      assert.deepStrictEqual(visitor.complaints, [])
    }
  )
})
