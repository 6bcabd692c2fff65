// npm run screenshots: every screen of the console in light, dark and on a phone, as docs/images/*.png.
import { mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { AuthorizedServer } from "../mcp/AuthorizedServer.ts"
import { perform } from "./cast.ts"
import { Stage } from "./Stage.ts"
import { Visitor } from "./Visitor.ts"

const images = fileURLToPath(new URL("../../docs/images/", import.meta.url))

const looks = [
  { name: "light", theme: "light", viewport: { width: 1280, height: 800 } },
  { name: "dark", theme: "dark", viewport: { width: 1280, height: 800 } },
  { name: "phone", theme: "light", viewport: { width: 390, height: 844 } }
] as const

interface Cast {
  readonly session: string
  readonly agent: string
  readonly environment: string
  /** An MCP server that wants a login. */
  readonly server: string
}

const screens = ({ agent, environment, server, session }: Cast) => [
  { name: "sessions", path: "sessions" },
  { name: "search", path: "sessions?q=publish" },
  { name: "new-session", path: "sessions/new" },
  { name: "session", path: `sessions/${session}` },
  { name: "replay", path: `sessions/${session}?tab=replay&at=24` },
  { name: "log", path: `sessions/${session}?tab=log` },
  { name: "trace", path: `sessions/${session}?tab=trace` },
  { name: "files", path: `sessions/${session}?tab=files` },
  { name: "terminal", path: `sessions/${session}?tab=terminal` },
  { name: "inbox", path: "inbox" },
  { name: "usage", path: "usage" },
  { name: "agents", path: "agents" },
  { name: "agent", path: `agents/${agent}` },
  { name: "agent-try", path: `agents/${agent}` },
  { name: "agent-versions", path: `agents/${agent}?tab=versions` },
  { name: "new-agent", path: "agents/new" },
  { name: "environments", path: "environments" },
  { name: "environment", path: `environments/${environment}` },
  { name: "mcp", path: "mcp" },
  { name: "mcp-new", path: "mcp/new" },
  { name: "mcp-server", path: `mcp/${server}` },
  { name: "policies", path: "policies" },
  { name: "runners", path: "runners" },
  { name: "fleet", path: "fleet" },
  { name: "models", path: "models" },
  { name: "keys", path: "keys" },
  { name: "workspace-settings", path: "settings" }
]

const overlays = [
  { name: "palette", keys: "Control+k" },
  { name: "help", keys: "?" },
  { name: "settings", keys: "Control+," }
]

/** Shows what the last command printed, as somebody would who decides about the next one. */
const unfold = async (page: Page): Promise<void> => {
  await page
    .getByRole("button", { name: /bash \.\/check/ })
    .last()
    .click()
  await page.locator(".terminal-output").first().waitFor()
  await page.mouse.move(0, 0)
  await page.keyboard.press("Shift+G")
  await page.evaluate("document.activeElement.blur()")
  await page.waitForTimeout(400)
  const left = `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(
    document.querySelector(".timeline")
  )`
  while ((await page.evaluate<number>(left)) > 1) await page.waitForTimeout(50)
}

/** A shell in which somebody has looked around. */
const lookAround = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: "Open a terminal" }).click()
  await page.locator("[data-standing=Open]").waitFor()
  const rows = page.locator(".xterm-rows")
  await rows.filter({ hasText: /[$#]/ }).waitFor()
  await page.keyboard.type("ls --color && ./check\n")
  await rows.filter({ hasText: "passed" }).waitFor()
  await page.waitForTimeout(400)
}

/** A try that has said something. */
const tryOut = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: "Try it" }).click()
  const pane = page.getByRole("complementary", { name: "Try" })
  await pane.getByRole("textbox").fill("run: git --version\nsay: It is there, in the version that the image brings.")
  await pane.getByRole("button", { name: "Start" }).click()
  await pane.locator(".turn-end").waitFor()
  await page.waitForTimeout(400)
}

/** One that somebody has connected to: at the first look, and there for all that follow. */
const connect = async (page: Page): Promise<void> => {
  await page.getByText(/It lets nobody in|It has 1 tool/).waitFor()
  const button = page.getByRole("button", { name: "Connect", exact: true })
  if (await button.isVisible()) await button.click()
  await page.getByText("It has 1 tool").waitFor()
  await page.waitForTimeout(400)
}

/** A call that is tried. */
const judge = async (page: Page): Promise<void> => {
  await page.getByLabel("Arguments").fill('{ "command": "npm publish --tag latest" }')
  await page.getByRole("button", { name: "What would happen?" }).click()
  await page.locator(".verdict").waitFor()
  await page.locator(".verdict").scrollIntoViewIfNeeded()
}

const acts: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  session: unfold,
  terminal: lookAround,
  "agent-try": tryOut,
  "mcp-server": connect,
  policies: judge
}

/** Takes the pictures whose names begin with one of the words that were given; all of them where there are none. */
export const takePictures = async (
  stage: Pick<Stage, "origin" | "door">,
  cast: Cast,
  words: ReadonlyArray<string>
): Promise<void> => {
  const isWanted = (name: string) => words.length === 0 || words.some((word) => name.startsWith(word))
  mkdirSync(images, { recursive: true })
  for (const { name: look, theme, viewport } of looks) {
    const visitor = await Visitor.come({ viewport, colorScheme: theme, reducedMotion: "reduce" })
    const { page } = visitor
    const shoot = async (name: string) => {
      if (!isWanted(`${name}-${look}`)) return
      await page.screenshot({ path: `${images}${name}-${look}.png` })
      console.log(`docs/images/${name}-${look}.png`)
    }
    try {
      await page.goto(`${stage.origin}/login`)
      await page.getByRole("heading").first().waitFor()
      await shoot("login")
      await page.goto(await stage.door())
      await page.waitForURL(/\/sessions$/)
      const workspace = page.url().replace(/sessions$/, "")
      for (const { name, path } of screens(cast)) {
        if (!isWanted(`${name}-${look}`)) continue
        await page.goto(`${workspace}${path}`)
        await page.locator(".page-header").waitFor()
        await page.locator("[role=status][aria-label=Loading]").first().waitFor({ state: "detached" })
        await page.waitForLoadState("load")
        // What comes in parts of its own, such as the highlighter, is drawn within a moment.
        await page.waitForTimeout(400)
        await acts[name]?.(page)
        await shoot(name)
      }
      for (const { keys, name } of overlays) {
        await page.goto(`${workspace}sessions`)
        await page.locator(".page-header").waitFor()
        await page.keyboard.press(keys)
        await page.getByRole("dialog").waitFor()
        await shoot(name)
      }
    } finally {
      await visitor.leave()
    }
  }
}

if (import.meta.main) {
  const tracker = await AuthorizedServer.start()
  const stage = await Stage.make({ egressAllow: [new URL(tracker.origin).host] })
  try {
    const cast = await perform(stage.troupe)
    const { id: server } = await stage.troupe.mcpServers.create({
      name: "tracker",
      description: "Tickets, and who works on them",
      server: { type: "url", url: tracker.url }
    })
    await takePictures(stage, { ...cast, server }, process.argv.slice(2))
  } finally {
    await stage.end()
    await tracker.end()
  }
}
