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
  const size = async () => ({ elements: await visitor.elements(), bytes: await visitor.heapBytes() })

  it("draws 200 events a second, and has time left", { timeout: long }, async () => {
    await visitor.takeTasks()
    const seconds = 4
    const before = await visitor.workMs()
    await session.flow(200, seconds)
    await shown()
    const workMs = (await visitor.workMs()) - before
    const tasks = await visitor.takeTasks()
    console.log({
      first_paint_ms: await visitor.firstPaintMs(),
      work_ms_per_event: Number((workMs / (200 * seconds)).toFixed(2)),
      busy_percent: Math.round(workMs / (seconds * 10)),
      tasks_over_50_ms: tasks.length,
      longest_ms: Math.max(0, ...tasks)
    })
    // By the processor's clock: at 5 ms an event there would be no time left at all.
    assert.isBelow(workMs / (200 * seconds), 4)
    assert.deepStrictEqual(visitor.complaints, [])
  })

  it("is as large at 50,000 events as it was at some thousands", { timeout: long }, async () => {
    const before = await size()
    const begun = session.length
    while (session.length < events) session.tell(1_000)
    await shown()
    const after = await size()
    const bytesPerEvent = Math.round((after.bytes - before.bytes) / (events - begun))
    console.log({ before, after, bytesPerEvent })
    assert.isBelow(after.elements, before.elements * 1.5)
    // An event of this log is some 700 bytes of JSON.
    assert.isBelow(bytesPerEvent, 100)
  })

  it("fetches what it let go of for whoever scrolls there, and lets go of it again", { timeout: long }, async () => {
    const { page } = visitor
    const before = await size()
    const timeline = page.getByRole("log")
    await timeline.focus()
    const readBefore = session.reads
    for (let part = 4; part >= 0; part--) {
      await timeline.evaluate((box, at) => {
        const { scrollHeight } = box as unknown as { readonly scrollHeight: number }
        Object.assign(box, { scrollTop: (scrollHeight * at) / 5 })
      }, part)
      await page.locator(".row .gap").first().waitFor({ state: "detached" })
      await page.locator(".row .call-line, .row .markdown").first().waitFor()
    }
    await page.locator(".said").first().waitFor()
    // What is in sight was read, and nothing is read again because of what else is.
    const read = session.reads
    assert.isAtMost(read - readBefore, 20)
    await page.waitForTimeout(2_500)
    assert.strictEqual(session.reads, read)
    const there = await size()
    await page.getByRole("button", { name: /To the end|new line/ }).press("Enter")
    await page.getByRole("button", { name: /To the end|new line/ }).waitFor({ state: "detached" })
    console.log({ before: before.bytes, there: there.bytes, elements: there.elements })
    assert.isBelow(there.bytes - before.bytes, 12_000_000)
    assert.deepStrictEqual(visitor.complaints, [])
  })

  it("comes with its end first, and reads no more of it than is looked at", { timeout: long }, async () => {
    const { page } = visitor
    const before = session.given
    const began = performance.now()
    await page.reload()
    await shown()
    await page.locator(".row .call-line, .row .markdown").last().waitFor()
    const given = session.given - before
    console.log({ given, of: session.length, live_after_ms: Math.round(performance.now() - began) })
    assert.isBelow(given, 5_000)
    await page.getByRole("log").evaluate((box) => Object.assign(box, { scrollTop: 0 }))
    await page.locator(".said").first().waitFor()
    await page.locator(".row .gap").first().waitFor({ state: "detached" })
    assert.strictEqual(await page.locator(".row").first().getAttribute("data-index"), "0")
    assert.isBelow(session.given - before, session.length / 2)
    assert.deepStrictEqual(visitor.complaints, [])
  })

  it("stays at the end where motion is reduced, on a phone too", { timeout: long }, async () => {
    const { page } = visitor
    await page.emulateMedia({ reducedMotion: "reduce" })
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole("log").focus()
    await page.keyboard.press("Shift+G")
    session.tell(240)
    await shown()
    const missing = `(({ clientHeight, scrollHeight, scrollTop }) => scrollHeight - clientHeight - scrollTop)(
      document.querySelector(".timeline")
    )`
    // Rows are measured as they are drawn: some moments later it has to be there, and to stay.
    for (let still = 0; still < 3; still = (await page.evaluate<number>(missing)) <= 1 ? still + 1 : 0) {
      await page.waitForTimeout(100)
    }
    assert.deepStrictEqual(await visitor.barriers(), [])
    assert.strictEqual(await page.evaluate("document.documentElement.scrollWidth"), 390)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  it("goes through all of it in replay, at a step's cost", { timeout: long }, async () => {
    const { page } = visitor
    await page.goto(`${session.origin}${LongSession.path}?tab=replay`)
    const drawn = (seq: number) => page.locator(`.replay-parts[data-at="${seq}"]`).waitFor()
    const costs: Array<number> = []
    const go = async (act: () => Promise<unknown>, to: () => number) => {
      const before = await visitor.workMs()
      await act()
      await drawn(to())
      costs.push(Math.round((await visitor.workMs()) - before))
    }
    await drawn(session.length)
    await visitor.takeTasks()
    for (let batch = 0; batch < 5; batch++) {
      await go(
        async () => session.tell(20),
        () => session.length
      )
    }
    const batches = costs.splice(0)
    const end = session.length
    const slider = page.getByRole("slider", { name: "Place in the log" })
    for (let step = 1; step <= 5; step++) {
      await go(
        () => page.keyboard.press("ArrowLeft"),
        () => end - step
      )
    }
    for (const place of [40_123, 25_000, 7_777, 33_333]) {
      await go(
        () => slider.fill(String(place)),
        () => place
      )
    }
    console.log({ batches, steps: costs, tasks_over_50_ms: (await visitor.takeTasks()).length })
    // By the processor's clock: to fold all of it takes a second or more.
    for (const work_ms of [...batches, ...costs]) assert.isBelow(work_ms, 400)
    assert.deepStrictEqual(visitor.complaints, [])
  })

  it("lists as many sessions as there are, and draws those that are in sight", { timeout: long }, async () => {
    const { page } = visitor
    const rows = process.env["TROUPE_FULL"] === "1" ? 100_000 : 20_000
    session.list(rows)
    await page.goto(`${session.origin}${LongSession.listPath}`)
    const rowPx = 40
    const list = page.getByRole("region", { name: "Sessions" })
    const height = () => page.evaluate<number>("document.querySelector('[role=region] ul').offsetHeight")
    const scroll = (share: number) =>
      list.evaluate((box, at) => {
        const { scrollHeight } = box as unknown as { readonly scrollHeight: number }
        Object.assign(box, { scrollTop: scrollHeight * at })
      }, share)
    await list.getByText("Session 0", { exact: true }).waitFor()
    /** Goes on to the end of what is there until there are so many, and says how long the page worked for each page of them. */
    const fetched = async (goal: number) => {
      const [before, had] = [await visitor.workMs(), await height()]
      await list.evaluate(
        (box, px) =>
          new Promise<void>((done) => {
            const { requestAnimationFrame } = globalThis as unknown as {
              readonly requestAnimationFrame: (next: () => void) => void
            }
            const go = () => {
              const { scrollHeight } = box as unknown as { readonly scrollHeight: number }
              if (scrollHeight >= px) return done()
              Object.assign(box, { scrollTop: scrollHeight })
              requestAnimationFrame(go)
            }
            go()
          }),
        goal * rowPx
      )
      return ((await visitor.workMs()) - before) / Math.max(1, ((await height()) - had) / (rowPx * 100))
    }
    const some = 5_000
    const work_ms_per_page_at_first = Math.round(await fetched(some))
    await fetched(rows - some)
    const work_ms_per_page_at_last = Math.round(await fetched(rows))
    console.log({ work_ms_per_page_at_first, work_ms_per_page_at_last })
    // A page costs what its own rows cost, however many there are before it.
    assert.isBelow(work_ms_per_page_at_last, work_ms_per_page_at_first * 2 + 20)
    const parts = 10
    const before = await visitor.workMs()
    for (let part = parts - 1; part >= 0; part--) {
      await scroll(part / parts)
      await list.getByText(`Session ${(rows * part) / parts}`, { exact: true }).waitFor()
    }
    await page.keyboard.press("j")
    await list.locator(".chosen", { hasText: "Session 0" }).waitFor()
    const work_ms_per_jump = Math.round(((await visitor.workMs()) - before) / parts)
    const elements = await visitor.elements()
    console.log({ work_ms_per_jump, elements })
    assert.isBelow(elements, 1_500)
    // By the processor's clock: what grew with the number of rows would take seconds.
    assert.isBelow(work_ms_per_jump, 400)
    assert.deepStrictEqual(visitor.complaints, [])
  })
})
