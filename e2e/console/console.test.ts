import { Effect, Exit, Scope } from "effect"
import { afterAll, assert, beforeAll, it } from "vitest"
import { Troupe } from "@troupe/client"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { buildConsole } from "../../scripts/console.mjs"
import { requires } from "../../test/requires.ts"
import { System } from "../support/System.ts"
import { Visitor } from "./Visitor.ts"

const long = 240_000

const toolsWith = (type: "always_allow" | "always_ask") => [
  { type: "agent_toolset_20260401", default_config: { permission_policy: { type } } },
  { type: "troupe_toolset", configs: [{ name: "ask_user" }] }
]

requires(
  "chromium",
  "postgres",
  "bubblewrap",
  "root"
)("the console, by keyboard", () => {
  const scope = Scope.makeUnsafe()
  let system: System
  let origin: string
  let visitor: Visitor

  beforeAll(async () => {
    const built = buildConsole()
    assert.isTrue(built?.ok ?? true, built?.output)
    system = new System(await Effect.runPromise(Scope.provide(TestDatabase.make(), scope)), 7)
    const { gateway } = await system.node()
    origin = gateway
    system.runner()
    const troupe = new Troupe({ baseURL: gateway, apiKey })
    await troupe.agents.create({ name: "Careful", model: "demo", tools: toolsWith("always_ask") })
    visitor = await Visitor.come()
  }, long)
  afterAll(async () => {
    await visitor?.leave()
    await system?.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }, 60_000)

  const sees = (text: string | RegExp) => visitor.page.getByText(text).first().waitFor()
  const press = async (...keys: ReadonlyArray<string>) => {
    for (const key of keys) await visitor.page.keyboard.press(key)
  }

  it("is entered by a link that works once", { timeout: long }, async () => {
    const { page } = visitor
    const answer = await fetch(`${origin}/v1/login_links`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: "{}"
    })
    const { url } = (await answer.json()) as { readonly url: string }
    await page.goto(url)
    await sees("No sessions yet")
    assert.match(page.url(), /\/w\/wrkspc_\w+\/sessions$/)
    assert.deepStrictEqual(await visitor.barriers(), [])
  })

  it("starts a session, which asks, and is allowed", { timeout: long }, async () => {
    const { page } = visitor
    await press("c")
    await page.getByLabel("What is to be done?").waitFor()
    await page.keyboard.type("say: The tests are **green**.\nrun: echo pub''lished; cat /etc/hostname")
    await press("Control+Enter")
    await sees("Waits for approval")
    await page.getByRole("region", { name: "Approval of bash" }).waitFor()
    assert.deepStrictEqual(await visitor.barriers(), [])
    await press("y")
    await page.locator(".turn-end", { hasText: "Done" }).waitFor()
    await sees("published")
    assert.strictEqual(await page.locator(".markdown strong").first().textContent(), "green")
  })

  it("is asked something, and answers by a number", { timeout: long }, async () => {
    const { page } = visitor
    await press("i")
    await page.keyboard.type("ask me Which one? red / blue")
    await press("Enter")
    await page.getByRole("region", { name: "Question" }).waitFor()
    await page.getByRole("log").focus()
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
    await page.getByRole("log").focus()
    await press("y")
    await page
      .getByRole("button", { name: /^bash.*sleep|Running/ })
      .first()
      .waitFor()
    await page.reload()
    await page.getByRole("img", { name: "Running" }).waitFor()
    assert.strictEqual(await page.locator(".said").count(), 3)
    await press("Escape")
    await sees("Escape once more to interrupt")
    await press("Escape")
    await page.locator(".turn-end", { hasText: "Interrupted" }).waitFor()
  })

  it("goes back to any moment", { timeout: long }, async () => {
    const { page } = visitor
    await press("v", "2")
    await page.getByRole("slider", { name: "Place in the log" }).waitFor()
    await press("Shift+T", "Shift+T")
    await sees("TurnStarted")
    await sees("/threads/0/turn")
    await press("ArrowRight")
    assert.match(page.url(), /tab=replay/)
    assert.deepStrictEqual(await visitor.barriers(), [])
    await press("v", "3")
    await page.getByRole("region", { name: "Events" }).waitFor()
    await sees("SessionOpened")
    assert.deepStrictEqual(await visitor.barriers(), [])
  })

  it("goes on where it was when its node is killed and comes back", { timeout: long }, async () => {
    const { page } = visitor
    await press("v", "1")
    await page.getByRole("status", { name: "Live" }).waitFor()
    const [node] = system.nodes
    await node!.end("SIGKILL")
    await page.getByRole("status", { name: "Connecting again" }).waitFor()
    await system.node({ TROUPE_PORT: new URL(origin).port })
    await page.getByRole("status", { name: "Live" }).waitFor()
    assert.strictEqual(await page.locator(".said").count(), 3)
  })

  it("finds everything by its palette, in the dark too", { timeout: long }, async () => {
    const { page } = visitor
    await press("Control+k")
    await page.getByRole("combobox", { name: "Search or run" }).waitFor()
    await page.keyboard.type("theme dark")
    await press("Enter")
    assert.strictEqual(await page.locator("html").getAttribute("data-theme"), "dark")
    for (const [keys, title] of [
      ["s", "Sessions"],
      ["a", "Agents"],
      ["e", "Environments"],
      ["r", "Runners"],
      ["m", "Models"],
      ["k", "API keys"]
    ] as const) {
      await press("g", keys)
      await page.getByRole("heading", { name: title, level: 1 }).waitFor()
      await page.getByRole("status", { name: "Loading" }).waitFor({ state: "detached" })
      assert.deepStrictEqual(await visitor.barriers(), [], title)
    }
    await press("?")
    await page.getByRole("dialog", { name: "Keys" }).waitFor()
    assert.deepStrictEqual(await visitor.barriers(), [])
    await press("Escape")
    assert.deepStrictEqual(visitor.complaints, [])
  })
})
