import { text as textOf } from "node:stream/consumers"
import { afterAll, assert, beforeAll, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { AuthorizedServer } from "../mcp/AuthorizedServer.ts"
import { SpokenModel } from "./SpokenModel.ts"
import { Stage, toolsWith } from "./Stage.ts"
import { Visitor } from "./Visitor.ts"

const long = 240_000

/** A PNG of one pixel. */
const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)

requires(
  "chromium",
  "postgres",
  "bubblewrap",
  "root"
)("the console, by keyboard", () => {
  let server: AuthorizedServer
  let stage: Stage
  let visitor: Visitor
  /** The agent that asks before each call. */
  let careful = ""
  /** The address of a line. */
  let line = ""

  beforeAll(async () => {
    server = await AuthorizedServer.start()
    stage = await Stage.make({ egressAllow: [new URL(server.origin).host] })
    const { id } = await stage.troupe.agents.create({ name: "Careful", model: "demo", tools: toolsWith("always_ask") })
    careful = id
    visitor = await Visitor.come()
  }, long)
  afterAll(async () => {
    await visitor?.leave()
    await stage?.end()
    await server?.end()
  }, 60_000)

  const sees = (text: string | RegExp) => visitor.page.getByText(text).first().waitFor()
  const press = async (...keys: ReadonlyArray<string>) => {
    for (const key of keys) await visitor.page.keyboard.press(key)
  }

  /** Runs what the palette finds first. */
  const command = async (words: string) => {
    const found = visitor.page.getByRole("combobox", { name: "Search or run" })
    await press("Control+k")
    await found.waitFor()
    await visitor.page.keyboard.type(words)
    await visitor.page
      .getByRole("option", { name: new RegExp(words.replace(" ", ".*"), "i") })
      .first()
      .waitFor()
    await press("Enter")
    await found.waitFor({ state: "detached" })
  }

  it("is entered by a link that works once", { timeout: long }, async () => {
    const { page } = visitor
    await page.goto(`${stage.origin}/login`)
    await page.getByLabel("API key").waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await page.goto(await stage.door())
    await sees("No sessions yet")
    assert.match(page.url(), /\/w\/wrkspc_\w+\/sessions$/)
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
  })

  it("starts a session, which asks, and is allowed", { timeout: long }, async () => {
    const { page } = visitor
    await press("c")
    await page.getByLabel("What is to be done?").waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await page.keyboard.type("say: The tests are **green**.\nrun: echo pub''lished; cat /etc/hostname")
    await press("Control+Enter")
    await sees("Waits for approval")
    await page.getByRole("region", { name: "Approval of bash" }).waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("e")
    const edited = page.getByRole("textbox", { name: "Arguments" })
    await edited.waitFor()
    const [command, others] = ["echo pub''lished; cat /etc/hostname", "echo pub''lished as edited"]
    assert.include(await edited.inputValue(), command)
    await page.keyboard.press("Control+A")
    await page.keyboard.type(JSON.stringify({ command: others }))
    await press("Control+Enter")
    await page.locator(".turn-end", { hasText: "Done" }).waitFor()
    await sees("published as edited")
    assert.strictEqual(await page.locator(".markdown strong").first().textContent(), "green")
  })

  it("is asked something, and answers by a number", { timeout: long }, async () => {
    const { page } = visitor
    await press("i")
    await page.keyboard.type("ask me Which one? red / blue")
    await press("Enter")
    await page.getByRole("region", { name: "Question" }).waitFor()
    await visitor.reach(page.getByRole("log"), "Shift+Tab")
    await press("2")
    await page.locator(".turn-end").nth(1).waitFor()
    await sees(/blue/)
  })

  it("shows the same after a reload in the middle, and interrupts", { timeout: long }, async () => {
    const { page } = visitor
    await press("i")
    await page.keyboard.type("run: sleep 120")
    await press("Enter")
    await page.getByRole("region", { name: "Approval of bash" }).waitFor()
    await visitor.reach(page.getByRole("log"), "Shift+Tab")
    await press("y")
    await page
      .getByRole("button", { name: /^bash.*sleep|Running/ })
      .first()
      .waitFor()
    await page.reload()
    await page.getByRole("img", { name: "Running" }).waitFor()
    assert.strictEqual(await page.locator(".said").count(), 3)
    await press("i")
    await page.keyboard.type("say: one")
    await press("Enter")
    await sees("Waits for its turn")
    await page.keyboard.type("say: two")
    await press("Enter")
    await page.locator(".said.queued").nth(1).waitFor()
    // A button is off while what it did before is on its way.
    const usable = (name: string) => page.locator(`.queued button[aria-label="${name}"]:enabled`)
    await visitor.take(usable("Earlier"), "Shift+Tab")
    await page.locator(".said.queued").first().getByText("say: two").waitFor()
    const waiting = (words: string) => page.locator(".said.queued", { hasText: words })
    await waiting("say: one").locator(".grip").dragTo(waiting("say: two"))
    await page.locator(".said.queued").first().getByText("say: one").waitFor()
    await visitor.take(usable("Edit").last())
    await visitor.write(page.getByRole("textbox", { name: "Message that waits" }), "say: three")
    await press("Control+Enter")
    await page.locator(".said.queued", { hasText: "say: three" }).waitFor()
    await visitor.take(usable("Withdraw").last())
    await page.locator(".said.queued", { hasText: "say: three" }).waitFor({ state: "detached" })
    await visitor.take(usable("Withdraw"))
    await page.locator(".said.queued").waitFor({ state: "detached" })
    assert.deepStrictEqual(await visitor.barriers(), [])
    await press("Escape")
    await sees("Escape once more to interrupt")
    await press("Escape")
    await page.locator(".turn-end", { hasText: "Interrupted" }).waitFor()
  })

  it("goes back to any moment", { timeout: long }, async () => {
    const { page } = visitor
    await press("Shift+L")
    await page.waitForURL(/[?&]at=\d+/)
    line = page.url()
    await page.locator(".row.found").getByText("Interrupted").waitFor()
    assert.match(
      (await page.locator(".row.found .line-link").getAttribute("href")) ?? "",
      /\/sessions\/sesn_\w+\?at=\d+$/
    )
    await press("v", "2")
    await page.getByRole("slider", { name: "Place in the log" }).waitFor()
    await press("Shift+T", "Shift+T")
    await sees("TurnStarted")
    await sees("/threads/0/turn")
    // Faster than anything can be drawn: each counts.
    const from = Number(await page.getByRole("slider", { name: "Place in the log" }).inputValue())
    const pressed = 'new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true })'
    await page.evaluate(`for (let times = 0; times < 3; times++) document.activeElement.dispatchEvent(${pressed})`)
    await page.locator(`.replay-parts[data-at="${from + 3}"]`).waitFor()
    await press("ArrowLeft", "ArrowLeft")
    assert.match(page.url(), /tab=replay/)
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("v", "5")
    await page.getByRole("region", { name: "Events" }).waitFor()
    await sees("SessionOpened")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
  })

  it("proves itself, shows where its time went and what it changed", { timeout: long }, async () => {
    const { page } = visitor
    await command("verify")
    await page.getByRole("dialog", { name: "Verified" }).waitFor()
    await sees("The log is whole")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("Escape")
    await page.getByRole("button", { name: /^Verified/ }).waitFor()
    await press("v", "3")
    await page.getByRole("region", { name: "Trace" }).getByText("Approval").first().waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("v", "4")
    await sees("Changes in the working copy")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
  })

  it("takes what is said of changed lines along with the next message", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    const agent = await stage.troupe.agents.create({
      name: "Writer",
      model: "demo",
      tools: toolsWith("always_allow")
    })
    const session = await stage.troupe.open({ agent: agent.id })
    await session.send(
      [
        "run: printf 'one\\ntwo\\nthree\\n' > notes.txt",
        'call edit {"file_path": "notes.txt", "old_string": "two", "new_string": "2"}',
        'call grep {"pattern": "t.r", "output_mode": "content"}'
      ].join("\n")
    )
    await session.until("idle")
    const comments = page.getByRole("list", { name: "Comments" }).getByRole("listitem")
    await page.goto(before.replace(/sesn_.*/, `${session.id}?tab=files`))
    await visitor.take(page.getByRole("button", { name: /^notes.txt/ }))
    await visitor.reach(page.getByRole("button", { name: "Comment on added line 1" }))
    await press("ArrowDown", "Shift+ArrowDown", "Enter")
    await page.getByRole("textbox", { name: "Comment on notes.txt:2-3" }).waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await page.keyboard.type("Numbers or words?")
    await press("Enter")
    await comments.getByText("Numbers or words?").waitFor()
    await page.locator("[data-line]:focus").waitFor()
    await page.reload()
    await comments.getByText("notes.txt:2-3").waitFor()
    await press("v", "1")
    await visitor.take(page.getByRole("button", { name: /^\S+ edit/ }), "Shift+Tab")
    await page.getByRole("button", { name: "Comment on added line 2" }).click()
    await page.keyboard.type("Spell it out.")
    await press("Enter")
    await visitor.take(page.getByRole("button", { name: "Change the comment on notes.txt:2", exact: true }))
    await page.keyboard.press("End")
    await page.keyboard.type(" Please.")
    await press("Enter")
    await comments.getByText("Spell it out. Please.").waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.reach(page.getByRole("textbox", { name: "Message" }))
    await page.keyboard.type("say: Noted.")
    await press("Enter")
    await comments.first().waitFor({ state: "detached" })
    await page.locator(".turn-end").nth(1).waitFor()
    const said: Array<unknown> = []
    for await (const event of session.events()) if (event.type === "user.message") said.push(event.content)
    const text = [
      "`notes.txt:2-3`\n```diff\n+2\n+three\n```\nNumbers or words?",
      "`notes.txt:2`\n```diff\n+2\n```\nSpell it out. Please.",
      "say: Noted."
    ].join("\n\n")
    assert.deepStrictEqual(said[1], [{ type: "text", text }])
    await visitor.take(page.getByRole("button", { name: /^\S+ grep/ }), "Shift+Tab")
    await page.locator(".found-line mark").getByText("thr").waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    // What is made while one looks is there once its turn has ended.
    await press("v", "4")
    await page.getByText("What the agent leaves in").waitFor()
    await visitor.reach(page.getByRole("textbox", { name: "Message" }))
    await page.keyboard.type("run: echo kept > /mnt/session/outputs/made.txt")
    await press("Enter")
    const output = page.getByRole("link", { name: "Download made.txt" })
    await output.waitFor()
    const download = page.waitForEvent("download")
    await visitor.take(output, "Shift+Tab")
    assert.strictEqual(await textOf(await (await download).createReadStream()), "kept\n")
    await stage.troupe.agents.archive(agent.id)
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it(
    "folds what is long in its data, finds words there, and copies values and where they are",
    { timeout: long },
    async () => {
      const { page } = visitor
      const before = page.url()
      // One word: the demo model takes its time for each.
      const words = `say: ${"hay-".repeat(1_000)}needle`
      for await (const { id } of stage.troupe.agents.list()) {
        const session = await stage.troupe.open({ agent: id })
        await session.send(words)
        await session.until("idle")
        await page.goto(before.replace(/sesn_.*/, `${session.id}?tab=log`))
        break
      }
      await visitor.write(page.getByRole("searchbox", { name: "Find events" }), "say: hay")
      await page.locator(".log-row", { hasText: "SessionOpened" }).waitFor({ state: "detached" })
      await visitor.take(page.locator(".log-row").first())
      const details = page.getByRole("complementary")
      await visitor.write(details.getByRole("searchbox", { name: "Search in it" }), "Needle")
      await details.getByText("1 place found").waitFor()
      const found = details.locator(".hit")
      assert.match((await found.textContent())!, /"….*needle"show all, 4\.0 kB/)
      assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
      await visitor.take(found.getByRole("button", { name: "show all" }))
      assert.include(await found.textContent(), words)
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
      /** By the entry of the menu that a key leads to. */
      const copies = async (key: string, title: string, ending: string) => {
        await visitor.take(found.getByRole("button", { name: "Copy text" }))
        await page.locator("[role=menu]:focus-within").waitFor()
        await press(key)
        await page.locator("[role=menuitem][data-highlighted]", { hasText: title }).waitFor()
        assert.deepStrictEqual(await visitor.barriers(), [])
        await press("Enter")
        await page.getByRole("menu").waitFor({ state: "detached" })
        await page.locator(".json-copy:focus").waitFor()
        await page.waitForFunction(
          `navigator.clipboard.readText().then((text) => text.endsWith(${JSON.stringify(ending)}))`
        )
      }
      await copies("End", "Copy the path", "/content/0/text")
      await copies("Home", "Copy the value", words)
      await page.goto(before)
      await page.getByRole("status", { name: "Live" }).waitFor()
    }
  )

  it("has terminals beside its agent, which a reload finds again", { timeout: long }, async () => {
    const { page } = visitor
    const screen = page.locator(".terminal-pane:not([hidden]) .xterm-rows")
    const shows = (text: string) => screen.filter({ hasText: text }).waitFor()
    const open = () => page.locator(".terminal-pane:not([hidden]) [data-standing=Open]").waitFor()
    await press("v", "6")
    await sees("A terminal where the agent works")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("Enter")
    await open()
    await page.keyboard.type("echo kept-$((40 + 2)); stty size")
    await press("Enter")
    await shows("kept-42")
    assert.match(page.url(), /terminals=term_/)
    assert.deepStrictEqual(await visitor.barriers(), [])
    const size = /\d+ \d\d+(?!.*\d+ \d\d+)/s
    const before = size.exec((await screen.textContent())!)![0]
    await page.setViewportSize({ width: 900, height: 600 })
    await page.reload()
    await open()
    await shows("kept-42")
    await visitor.reach(page.getByRole("textbox", { name: "Terminal input" }))
    await page.keyboard.type("echo now $(stty size) now")
    await press("Enter")
    await screen.filter({ hasText: /now \d+ \d+ now/ }).waitFor()
    assert.notInclude(await screen.textContent(), `now ${before} now`)
    await page.setViewportSize({ width: 1280, height: 800 })
    await press("F6", "Tab", "Tab", "Enter")
    await page.getByRole("button", { name: "Terminal 2", exact: true, pressed: true }).waitFor()
    await open()
    await page.keyboard.type("exit 3")
    await press("Enter")
    await sees("The shell ended with code 3.")
    await press("F6", "Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await press("Enter")
    await shows("kept-42")
    await page.goto(page.url().replace(/terminals=[^&]*/, "terminals=term_gone"))
    await page.getByRole("alert").getByText("There is no terminal term_gone").waitFor()
    await press("F6")
    await visitor.take(page.getByRole("button", { name: "Close terminal 1" }))
    await sees("A terminal where the agent works")
    await press("v", "1")
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("is found by what was said, and goes on as a fork that asks in the inbox", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    await press("g", "s")
    await page.getByRole("searchbox", { name: "Search sessions" }).waitFor()
    await press("/")
    await page.keyboard.type("blue")
    await page.getByRole("region", { name: "Found" }).locator("mark").first().waitFor()
    assert.match(page.url(), /q=blue/)
    // Whoever is given the address of a line finds it marked.
    const marked = page.locator(".row.found").getByText("Interrupted")
    await page.goto(before.replace(/\?.*/, `?${/at=\d+/.exec(line)![0]}`))
    await marked.waitFor()
    await page.getByRole("status", { name: "Live" }).waitFor()
    await command("fork")
    await page.waitForURL(({ pathname }) => pathname !== new URL(before).pathname)
    await page.getByRole("textbox", { name: "Message" }).waitFor()
    await page.getByLabel("Files to attach").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: picture })
    await page.getByRole("list", { name: "Attached" }).getByText("dot.png").waitFor()
    await press("i")
    await page.keyboard.type("run: echo from the fork")
    await press("Enter")
    await page.getByRole("region", { name: "Approval of bash" }).waitFor()
    const drawn = page.getByRole("button", { name: "Attached picture: open it" })
    await drawn.waitFor()
    const drawnWidth = await drawn.locator("img").evaluate(async (image) => {
      const one = image as unknown as { readonly decode: () => Promise<void>; readonly naturalWidth: number }
      await one.decode()
      return one.naturalWidth
    })
    assert.strictEqual(drawnWidth, 1)
    await page.getByRole("list", { name: "Attached" }).waitFor({ state: "detached" })
    await visitor.take(drawn, "Shift+Tab")
    await page.getByRole("dialog", { name: "Attached picture" }).waitFor()
    assert.deepStrictEqual(await visitor.barriers(), [])
    await press("Escape")
    await visitor.reach(page.getByRole("log"), "Shift+Tab")
    await press("g", "i")
    await page.getByRole("list").getByRole("region", { name: "Approval of bash" }).waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("n")
    await page.getByRole("textbox", { name: "Why it is denied" }).waitFor()
    await page.keyboard.type("not today")
    await press("Enter")
    await sees("Nothing waits for you")
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("has all that waits in its inbox, and leads others to one of it, on a phone too", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
    const many = 105
    const session = await stage.troupe.open({ agent: careful })
    await session.send(Array.from({ length: many }, (_, index) => `& run: echo call-${index}-`).join("\n"))
    await session.until("idle")
    await press("g", "i")
    await page.getByLabel(`${many} waiting`).waitFor()
    await sees(`${many} things to answer`)
    const chosen = page.locator(".waiting.chosen")
    await chosen.filter({ hasText: "call-0-" }).waitFor()
    await press("j")
    await chosen.filter({ hasText: "call-1-" }).waitFor()
    assert.isBelow(await page.locator(".waiting").count(), many / 2)
    // Heights are known of what was drawn: the end is reached step by step.
    const end = page.locator(".waiting", { hasText: `call-${many - 1}-` })
    while ((await end.count()) === 0) {
      await page.getByRole("region", { name: "Inbox" }).evaluate((box) => {
        Object.assign(box, { scrollTop: (box as unknown as { readonly scrollHeight: number }).scrollHeight })
      })
    }
    await press("k")
    await chosen.filter({ hasText: "call-0-" }).waitFor()
    assert.deepStrictEqual(await visitor.barriers(), [])
    await visitor.take(chosen.getByRole("button", { name: "Copy a link to this" }))
    const link = await page.evaluate<string>("navigator.clipboard.readText()")
    assert.strictEqual(link, page.url())

    const phone = await Visitor.come({ viewport: { width: 390, height: 844 }, hasTouch: true })
    try {
      const used = await stage.door()
      await visitor.page.goto(used)
      await visitor.page.waitForURL(/\/sessions$/)
      await phone.page.goto(used)
      const problem = phone.page.getByRole("alert")
      await problem.getByText("That link lets nobody in any more").waitFor()
      assert.match((await problem.textContent())!, /Have a new one made.*req_\w+/)
      await phone.page.goto(link)
      const key = phone.page.getByLabel("API key")
      await key.fill("trp_key_that_is_none")
      await key.press("Enter")
      await problem.getByText("That key lets nobody in").waitFor()
      assert.match((await problem.textContent())!, /not valid.*req_\w+/)
      assert.deepStrictEqual(await phone.barriers(), [])
      await key.fill(apiKey)
      await key.press("Enter")
      const asked = phone.page.locator(".waiting.chosen", { hasText: "call-0-" })
      await asked.waitFor()
      assert.strictEqual(phone.page.url(), link)
      // A link that lets somebody in leads on to what was asked for before it was there.
      await phone.page.context().clearCookies()
      await phone.page.goto(link)
      await key.waitFor()
      await phone.page.goto(await stage.door())
      await asked.waitFor()
      assert.strictEqual(phone.page.url(), link)
      assert.deepStrictEqual(await phone.barriers(), [])
      assert.strictEqual(await phone.page.evaluate("document.documentElement.scrollWidth"), 390)
      await asked.getByRole("button", { name: "Deny" }).tap()
      await asked.getByLabel("Why it is denied").fill("not by phone")
      await asked.getByLabel("Why it is denied").press("Enter")
      await phone.page.locator(".waiting.chosen", { hasText: "call-1-" }).waitFor()
      assert.deepStrictEqual(phone.complaints, [])
    } finally {
      await phone.leave()
    }

    await page.goto(link)
    await page.getByLabel(`${many - 1} waiting`).waitFor()
    const gone = page.getByRole("region", { name: "A call that waits no more" })
    await gone.getByText("It was denied: not by phone, by the key").waitFor()
    assert.strictEqual(await chosen.count(), 0)
    assert.strictEqual(await page.locator(".ask .key").count(), 0)
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("j")
    await chosen.filter({ hasText: "call-1-" }).waitFor()
    await session.interrupt()
    await sees("Nothing waits for you")
    // Where its turn ended, nobody answered.
    await gone.getByText("before anybody answered").waitFor()
    await visitor.take(gone.getByRole("link", { name: "See it in its session" }))
    await page.locator(".turn-end", { hasText: "Interrupted" }).waitFor()
    await page.goto(before)
    await page.locator(".page-header").waitFor()
  })

  it("makes a model card whose key is not shown again, and says why it can't be used", { timeout: long }, async () => {
    const { page } = visitor
    await press("g", "m")
    await page.getByRole("heading", { name: "Models", level: 1 }).waitFor()
    await visitor.take(page.getByRole("button", { name: "New card" }))
    await visitor.write(page.getByLabel("Name", { exact: true }), "ours")
    await visitor.write(page.getByLabel("Model", { exact: true }), "small")
    await visitor.write(page.getByLabel("Address", { exact: true }), "http://127.0.0.1:9/v1")
    await visitor.write(page.getByLabel("Key", { exact: true }), "sk-secret-secret-1234")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(page.getByRole("button", { name: "Make it" }))
    await sees(/key …1234/)
    assert.notInclude(await page.content(), "sk-secret")
    await visitor.take(page.getByRole("button", { name: "Try it" }))
    await page.locator(".badge.bad").waitFor()
    await visitor.take(page.getByRole("button", { name: "Edit ours" }))
    await visitor.write(page.getByLabel("Model", { exact: true }), "smaller")
    await visitor.take(page.getByRole("dialog").getByRole("button", { name: "Save" }))
    await sees(/smaller · key …1234/)
    await page.goBack()
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("adds an MCP server, connects to it, and gives it to an agent", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    await press("g", "t")
    await sees("No MCP servers yet")
    await visitor.take(page.getByRole("link", { name: "Add a server" }).first())
    await visitor.write(page.getByLabel("Name", { exact: true }), "tracker")
    await visitor.write(page.getByLabel("Address", { exact: true }), server.url)
    await visitor.take(page.getByRole("button", { name: "Add a header" }))
    await visitor.write(page.getByLabel("Name of header 1"), "X-Team")
    await visitor.write(page.getByLabel("Value of header 1"), "secret-of-the-team")
    await visitor.take(page.getByRole("button", { name: "Add it" }))
    await sees("It lets nobody in like this")
    await visitor.take(page.getByRole("button", { name: "Connect", exact: true }))
    await sees("It has 1 tool")
    await sees("greet()")
    assert.match(page.url(), /\/mcp\/mcpsrv_\w+$/)
    const shown = await page.content()
    for (const secret of ["secret-of-the-team", server.token]) assert.notInclude(shown, secret)
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await press("g", "a")
    await visitor.take(page.getByRole("link", { name: "Careful" }))
    await visitor.reach(page.getByRole("checkbox", { name: "tracker" }))
    await press("Space")
    await visitor.choose(page.getByLabel("Tools of tracker"), "run")
    await visitor.take(page.getByRole("button", { name: "Each by itself" }))
    await visitor.choose(page.getByLabel("Calls of greet"), "ask")
    assert.deepStrictEqual(await visitor.barriers(), [])
    await visitor.take(page.getByRole("button", { name: "Save a new version" }))
    await sees("v2")
    for await (const { name, tools } of stage.troupe.agents.list()) {
      if (name !== "Careful") continue
      assert.deepInclude(tools.at(-1), {
        default_config: { enabled: true, permission_policy: { type: "always_allow" } },
        configs: [{ enabled: true, permission_policy: { type: "always_ask" }, name: "greet" }]
      })
    }
    await press("g", "t")
    await visitor.take(page.getByRole("link", { name: "tracker" }))
    await page.getByRole("region", { name: "Agents that use it" }).getByRole("link", { name: "Careful" }).waitFor()
    await visitor.take(page.getByRole("button", { name: "Delete", exact: true }))
    await visitor.take(page.getByRole("dialog").getByRole("button", { name: "Delete" }))
    const refusal = page.getByRole("dialog").getByRole("alert")
    await refusal.getByText("The agent Careful uses this MCP server").waitFor()
    assert.match((await refusal.textContent())!, /req_\w+/)
    await press("Escape")
    await visitor.take(page.getByRole("button", { name: "Disconnect" }), "Shift+Tab")
    await visitor.take(page.getByRole("dialog").getByRole("button", { name: "Disconnect" }))
    await sees("Nobody has logged in")
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it(
    "tries a call under policies before they hold, and keeps them as a version, and of one session",
    { timeout: long },
    async () => {
      const { page } = visitor
      const before = page.url()
      const verdict = page.getByRole("status").filter({ hasText: "By " })
      const tryIt = page.getByRole("button", { name: "What would happen?" })
      await press("g", "p")
      await visitor.take(tryIt)
      await verdict.getByText("It would run").waitFor()
      await visitor.take(page.getByRole("button", { name: "review", exact: true }), "Shift+Tab")
      await visitor.take(tryIt)
      await verdict.getByText("Somebody would be asked").waitFor()
      await sees("workspace.policies[0].preset.review")
      await visitor.take(page.getByRole("button", { name: "Save a new version" }), "Shift+Tab")
      await page
        .getByRole("list", { name: "Policies in force" })
        .getByText("What the preset review takes away")
        .waitFor()
      const { policies, version } = await stage.troupe.policies.retrieve()
      assert.deepStrictEqual(policies, [{ type: "preset", preset: "review" }])
      await stage.troupe.policies.update({ version, policies: [] })
      await page.goto(before)
      await page.getByRole("status", { name: "Live" }).waitFor()
      await command("Policies of")
      const dialog = page.getByRole("dialog", { name: "Policies of the session" })
      await visitor.take(dialog.getByRole("button", { name: "full", exact: true }))
      await visitor.take(dialog.getByRole("button", { name: "Save", exact: true }))
      await dialog.waitFor({ state: "hidden" })
      const id = new URL(before).pathname.split("/").at(-1)!
      const { troupe } = await stage.troupe.sessions.retrieve(id)
      assert.deepStrictEqual(troupe.policies, [{ type: "preset", preset: "full" }])
    }
  )

  it("tries an agent as it is in the form, with another model and more effort", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    await press("g", "a")
    await visitor.take(page.getByRole("link", { name: "Careful" }))
    await visitor.choose(page.getByLabel("Its tools run"), "in the")
    await visitor.take(page.getByRole("button", { name: "Try it" }))
    const pane = page.getByRole("complementary", { name: "Try" })
    await pane.getByRole("textbox").waitFor()
    assert.deepStrictEqual(await visitor.barriers(), [])
    await page.keyboard.type("run: echo tr''ied without asking")
    await press("Control+Enter")
    await pane.getByText("tried without asking").first().waitFor()
    await pane.locator(".turn-end").waitFor()
    await visitor.choose(page.getByLabel("Its tools run"), "only")
    await sees("The form has changed since")
    await visitor.choose(pane.getByLabel("Model for this message"), "demo")
    await visitor.choose(pane.getByLabel("Effort for this message"), "High")
    await visitor.reach(pane.getByRole("textbox", { name: "Message" }), "Shift+Tab")
    await page.keyboard.type("say: with more effort")
    await press("Enter")
    await pane.locator(".turn-end").nth(1).waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    const href = await pane.getByRole("link", { name: "Open the session" }).getAttribute("href")
    const turns = await stage.troupe.sessions.turns.list(href!.split("/").at(-1)!)
    assert.deepStrictEqual(turns.data[0]!.overrides, { model: "demo", effort: "high" })
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("makes an environment, an agent, a runner's token and a key, which is shown once", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    const button = (name: string) => page.getByRole("button", { name, exact: true })
    await press("g", "e")
    await visitor.take(button("New environment"))
    await visitor.write(page.getByLabel("Name", { exact: true }), "Walled")
    await visitor.write(page.getByLabel("Hosts", { exact: true }), "example.com")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(button("Make it"))
    await sees("example.com, package registries")
    await visitor.take(page.getByRole("link", { name: "Walled" }))
    await visitor.write(page.getByLabel("What it is for", { exact: true }), "to be ended")
    await visitor.take(button("Save"))
    await visitor.take(button("JSON"), "Shift+Tab")
    await page.getByLabel("All of it").filter({ hasText: "to be ended" }).waitFor()
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(button("Archive"))
    await sees("It is archived")
    await visitor.take(button("Delete"))
    await visitor.take(page.getByRole("dialog").getByRole("button", { name: "Delete" }))
    await page.getByRole("heading", { name: "Environments", level: 1 }).waitFor()
    await press("g", "a")
    await visitor.take(page.getByRole("link", { name: "New agent" }))
    await visitor.write(page.getByLabel("Name", { exact: true }), "Quick")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(button("Make it"))
    await button("Versions").waitFor()
    for (const tab of ["JSON", "Versions"]) {
      await visitor.take(button(tab))
      await page.getByRole("button", { name: tab, pressed: true }).waitFor()
      assert.deepStrictEqual(await visitor.barriersInAllLooks(), [], tab)
    }
    await press("g", "r")
    await visitor.take(button("Add a runner"))
    await visitor.write(page.getByLabel("What is the token for?"), "the other machine")
    await visitor.take(button("Make a token"))
    await sees(/TROUPE_RUNNER_TOKEN=\S+/)
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(button("Done"))
    await press("g", "k")
    await visitor.take(button("New key"))
    await visitor.write(page.getByLabel("Name", { exact: true }), "for a program")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(button("Make it"))
    await sees("It is shown only now")
    await visitor.take(button("Done"))
    await visitor.take(page.getByRole("row", { name: /for a program/ }).getByRole("button", { name: "Revoke" }))
    await visitor.take(page.getByRole("dialog").getByRole("button", { name: "Revoke" }))
    await page.getByRole("row", { name: /for a program/ }).waitFor({ state: "detached" })
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("rests at a limit that asks, and goes on once somebody says so", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    await press("c")
    await page.getByLabel("What is to be done?").waitFor()
    await page.keyboard.type("say: once")
    await visitor.take(page.getByRole("button", { name: "Add a limit" }))
    await visitor.reach(page.getByLabel("Limit 1, how much"), "Shift+Tab")
    await page.keyboard.type("1")
    await visitor.choose(page.getByLabel("Limit 1, of what"), "requests")
    await visitor.take(page.getByRole("button", { name: "Start" }))
    await page.locator(".turn-end", { hasText: "Done" }).waitFor()
    await press("i")
    await page.keyboard.type("say: twice")
    await press("Enter")
    await sees("It has come up to a limit: 1 request to models in all, then it asks")
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await visitor.take(page.getByRole("button", { name: "Go on" }), "Shift+Tab")
    await page.locator(".turn-end").nth(1).waitFor()
    await page.getByRole("region", { name: "Limit reached" }).waitFor({ state: "detached" })
    await visitor.take(page.getByRole("button", { name: /^Limits: 100 %/ }))
    await visitor.take(page.getByRole("dialog", { name: "Limits" }).getByRole("button", { name: "Change them" }))
    await visitor.write(page.getByLabel("Limit 1, how much"), "8")
    assert.deepStrictEqual(await visitor.barriers(), [])
    await visitor.take(page.getByRole("dialog").getByRole("button", { name: "Save" }))
    await page.getByRole("button", { name: /^Limits: 25 %/ }).waitFor()
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("settles what holds for all sessions, and says where an address leads nowhere", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    await press("g", "w")
    await visitor.take(page.getByRole("button", { name: "Add a limit" }))
    await visitor.reach(page.getByLabel("Limit 1, how much"), "Shift+Tab")
    await page.keyboard.type("1000000")
    await visitor.take(page.getByRole("button", { name: "Save" }))
    await sees("Saved.")
    const { day_limits } = await stage.troupe.settings.retrieve()
    assert.deepStrictEqual(day_limits, [{ metric: "tokens", max: 1_000_000, enforcement: "soft" }])
    await visitor.take(page.getByRole("button", { name: "Let today's soft limits pass" }))
    await sees("Today's soft limits are let pass.")
    await stage.troupe.settings.update({ day_limits: [] })
    await page.goto(before.replace(/sesn_.*/, "sesn_gone"))
    await page.getByRole("heading", { name: /no session's address|no such session/ }).waitFor()
    assert.deepStrictEqual(await visitor.barriers(), [])
    await visitor.take(page.getByRole("link", { name: "Go to the sessions" }))
    await page.getByRole("searchbox", { name: "Search sessions" }).waitFor()
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("is steered, allowed for the session, forked at a place, and found by filters", { timeout: long }, async () => {
    const { page } = visitor
    const before = page.url()
    const session = await stage.troupe.open({ agent: careful })
    await session.send("write file notes.txt first line\nrun: exit 3\nrun: echo sec''ond")
    const at = (search: string) => before.replace(/(\/w\/\w+\/).*/, `$1sessions/${session.id}${search}`)
    const button = (name: string) => page.getByRole("button", { name, exact: true })
    // Tall enough that all of it is drawn.
    await page.setViewportSize({ width: 1280, height: 2_400 })
    await page.goto(at(""))
    const asked = (tool: string) => page.getByRole("region", { name: `Approval of ${tool}` })
    await asked("write").waitFor()
    await press("i")
    await page.keyboard.type("run: echo th''ird")
    await press("Control+Enter")
    await sees("Joins what runs at its next step")
    await visitor.take(
      asked("write")
        .getByRole("button", { name: /^Allow/ })
        .first(),
      "Shift+Tab"
    )
    await visitor.take(asked("bash").getByRole("button", { name: /for the session/ }), "Shift+Tab")
    await page.locator(".turn-end", { hasText: "Done" }).waitFor()
    await page.locator(".said", { hasText: "th''ird" }).getByText("Steered").waitFor()
    const log: Array<string> = []
    for await (const { type } of session.log()) log.push(type)
    assert.lengthOf(
      log.filter((type) => type === "ToolConfirmed"),
      2
    )
    assert.lengthOf(
      log.filter((type) => type === "ToolFinished"),
      4
    )

    const place = log.lastIndexOf("ToolConfirmed") + 1
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.goto(at(`?tab=replay&at=${log.length}`))
    const slider = page.getByRole("slider", { name: "Place in the log" })
    const state = page.getByRole("region", { name: "State at this place" })
    const isAt = (seq: number) => page.waitForURL((url) => url.searchParams.get("at") === String(seq))
    await page.locator(`.replay-parts[data-at="${log.length}"]`).waitFor()
    await visitor.take(button("Error"))
    await state.getByRole("heading", { name: "ToolFinished" }).waitFor()
    await visitor.take(button("Approval"), "Shift+Tab")
    await state.getByRole("heading", { name: "ToolRequested" }).waitFor()
    const { height, width, x, y } = (await slider.boundingBox())!
    await page.mouse.move(x + width / 2, y + height / 2)
    await page.mouse.down()
    await page.mouse.move(x + 2, y + height / 2, { steps: 5 })
    await page.mouse.up()
    await isAt(1)
    await state.getByRole("heading", { name: "SessionOpened" }).waitFor()
    await slider.fill(String(place))
    await page.locator(`.replay-parts[data-at="${place}"]`).waitFor()
    const forking = page.waitForRequest(/\/fork$/)
    await visitor.take(button("Fork from here"), "Shift+Tab")
    assert.deepStrictEqual((await forking).postDataJSON(), { seq: place })
    await page.waitForURL(({ pathname }) => !pathname.endsWith(session.id))
    await page.goto(at(`?tab=log&at=${place}`))
    await page.locator(".log-row.chosen", { hasText: "ToolConfirmed" }).waitFor()
    await page.getByRole("complementary", { name: `Event ${place}` }).waitFor()

    await page.goto(at("").replace(/\/sessions\/.*/, "/sessions"))
    await visitor.take(page.getByRole("button", { name: "Idle", exact: true }))
    await visitor.choose(page.getByLabel("Agent", { exact: true }), "C")
    await page.waitForURL(({ searchParams: given }) => given.get("view") === "idle" && given.get("agent") === careful)
    await page.reload()
    await page.getByRole("button", { name: "Idle", exact: true, pressed: true }).waitFor()
    await page.locator(`.agent-filter option[value="${careful}"]:checked`).waitFor({ state: "attached" })
    await page.goto(before)
    await page.getByRole("status", { name: "Live" }).waitFor()
  })

  it("goes on where it was when its node is killed and comes back", { timeout: long }, async () => {
    const { page } = visitor
    await press("v", "1")
    await page.getByRole("status", { name: "Live" }).waitFor()
    const [node] = stage.system.nodes
    await node!.end("SIGKILL")
    await page.getByRole("status", { name: "Connecting again" }).waitFor()
    // Whoever opens it meanwhile is told so, and comes back with the node.
    await page.reload()
    await page.getByRole("heading", { name: "The node can't be reached" }).waitFor()
    await sees(stage.origin)
    assert.deepStrictEqual(await visitor.barriersInAllLooks(), [])
    await stage.reopen()
    await page.getByRole("status", { name: "Live" }).waitFor()
    assert.strictEqual(await page.locator(".said").count(), 3)
  })

  it(
    "shows once, and whole, what was written while it was reloaded and its node killed",
    { timeout: long },
    async () => {
      const { page } = visitor
      const model = await SpokenModel.start()
      try {
        const { id: card } = await stage.troupe.modelCards.create({
          ...{ name: "spoken", provider: "openai-chat", model: "any", base_url: model.url, api_key: "none" }
        })
        const agent = await stage.troupe.agents.create({ name: "Speaker", model: "spoken" })
        const session = await stage.troupe.open({ agent: agent.id })
        await session.send("Count to seven.")
        await page.goto(page.url().replace(/(\/w\/\w+\/).*/, `$1sessions/${session.id}`))
        const writing = page.locator(".writing")
        await page.getByRole("status", { name: "Live" }).waitFor()
        await model.say("One, two, ")
        await writing.getByText("One, two,").waitFor()
        await page.reload()
        await page.getByRole("status", { name: "Live" }).waitFor()
        await model.say("three, ")
        await writing.getByText("three,").waitFor()
        await stage.system.nodes.at(-1)!.end("SIGKILL")
        await page.getByRole("status", { name: "Connecting again" }).waitFor()
        await model.say("four, five, ")
        await stage.reopen()
        await page.getByRole("status", { name: "Live" }).waitFor()
        await model.say("six, seven.")
        await model.finish()
        await page.locator(".turn-end", { hasText: "Done" }).waitFor()
        await writing.waitFor({ state: "detached" })
        const said = async () => (await page.locator(".markdown").allTextContents()).map((text) => text.trim())
        const whole = "One, two, three, four, five, six, seven."
        assert.deepStrictEqual(await said(), [whole])
        await page.reload()
        await page.locator(".turn-end", { hasText: "Done" }).waitFor()
        assert.deepStrictEqual(await said(), [whole])
        await stage.troupe.modelCards.delete(card)
      } finally {
        model.end()
      }
    }
  )

  it("finds everything by its palette, in the dark too", { timeout: long }, async () => {
    const { page } = visitor
    await command("theme dark")
    await page.locator("html[data-theme=dark]").waitFor()
    await command("theme system")
    await page.locator("html[data-theme=dark]").waitFor({ state: "detached" })
    for (const [keys, title] of [
      ["s", "Sessions"],
      ["i", "Inbox"],
      ["u", "Usage"],
      ["a", "Agents"],
      ["e", "Environments"],
      ["t", "MCP servers"],
      ["p", "Policies"],
      ["r", "Runners"],
      ["f", "Fleet"],
      ["m", "Models"],
      ["k", "API keys"],
      ["w", "Workspace settings"]
    ] as const) {
      await press("g", keys)
      await page.getByRole("heading", { name: title, level: 1 }).waitFor()
      await page.locator(".skeleton").first().waitFor({ state: "detached" })
      assert.deepStrictEqual(await visitor.barriersInAllLooks(), [], title)
    }
    for (const [keys, title] of [
      ["?", "Keys"],
      ["Control+,", "Settings"],
      ["Control+k", ""]
    ] as const) {
      await press(keys)
      await page.getByRole("dialog", { name: title }).waitFor()
      assert.deepStrictEqual(await visitor.barriersInAllLooks(), [], title)
      await press("Escape")
      await page.getByRole("dialog").waitFor({ state: "detached" })
    }
    assert.deepStrictEqual(visitor.complaints, [])
  })
})
