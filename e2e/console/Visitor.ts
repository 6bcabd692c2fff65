import axe from "axe-core"
import { existsSync } from "node:fs"
import { type Browser, type BrowserContextOptions, type CDPSession, chromium, type Page } from "playwright-core"

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
}

/** Somebody in front of a browser, who notes whatever it complains of. */
export class Visitor {
  readonly complaints: Array<string> = []
  readonly page: Page
  private readonly browser: Browser
  #work: CDPSession | undefined

  private constructor(browser: Browser, page: Page) {
    this.browser = browser
    this.page = page
    page.on("pageerror", (error) => this.complaints.push(error.message))
    page.on("console", (message) => {
      // A server that is away, and what it refuses, are told by the browser itself.
      if (message.type() === "error" && !/Failed to load resource|ERR_|WebSocket connection to/.test(message.text())) {
        this.complaints.push(message.text())
      }
    })
  }

  static async come(options: BrowserContextOptions = {}): Promise<Visitor> {
    const executablePath = process.env["TROUPE_CHROMIUM"] ?? places.find((file) => existsSync(file)) ?? places[0]!
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] })
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    return new Visitor(browser, page)
  }

  /** What axe finds that would keep somebody out. */
  async barriers(): Promise<ReadonlyArray<string>> {
    // Evaluated from outside, so that the page's own policy stays as it is.
    await this.page.evaluate(axe.source)
    const violations = await this.page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        readonly axe: { run: (options: object) => Promise<{ violations: ReadonlyArray<Violation> }> }
      }
      return (await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })).violations
    })
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`))
  }

  /** Notes from now on what keeps the page from answering for more than 50 ms. */
  async watchTasks(): Promise<void> {
    await this.page.addInitScript(`
      globalThis.longTasks = []
      new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask", buffered: true })`)
  }

  /** How long those took that there were since the last time. */
  takeTasks(): Promise<ReadonlyArray<number>> {
    return this.page.evaluate("longTasks.splice(0)")
  }

  firstPaintMs(): Promise<number> {
    return this.page.evaluate("Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)")
  }

  elements(): Promise<number> {
    return this.page.evaluate("document.querySelectorAll('*').length")
  }

  /** What the page holds on to, once everything else is thrown away. */
  async heapBytes(): Promise<number> {
    const session = await this.page.context().newCDPSession(this.page)
    await session.send("HeapProfiler.collectGarbage")
    const { usedSize } = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return usedSize
  }

  /** How long the page's main thread has worked, by the processor's own clock: others on the machine are not in it. */
  async workMs(): Promise<number> {
    this.#work ??= await this.page.context().newCDPSession(this.page)
    await this.#work.send("Performance.enable", { timeDomain: "threadTicks" })
    const { metrics } = await this.#work.send("Performance.getMetrics")
    return metrics.find(({ name }) => name === "TaskDuration")!.value * 1_000
  }

  async leave(): Promise<void> {
    await this.browser.close()
  }
}
