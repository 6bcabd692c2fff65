import axe from "axe-core"
import { existsSync } from "node:fs"
import {
  type Browser,
  type BrowserContextOptions,
  type CDPSession,
  chromium,
  type ElementHandle,
  type Locator,
  type Page
} from "playwright-core"

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
}

const usual = { width: 1280, height: 800 }

/** What is asked of an element in the page: Node's types know of none. */
interface InPage {
  readonly isConnected: boolean
  readonly matches: (selector: string) => boolean
}

/** How screens are looked at: contrast is another in the dark, and what fits is another on a phone. */
const looks = [
  { colorScheme: "light", viewport: usual },
  { colorScheme: "dark", viewport: { width: 390, height: 844 } }
] as const

/** More steps than any screen takes. */
const stepsMax = 120

/** Ends with what fades, or after a second: colours are judged where they have come to rest. */
const settled = `Promise.race([
  Promise.allSettled(document.getAnimations().filter((some) => some instanceof CSSTransition).map((some) => some.finished)),
  new Promise((resolve) => setTimeout(resolve, 1000))
]).then(() => undefined)`

/** How many places of those that the key goes to are between the one that has the focus and this one; less than none before it. */
const stepsTo = (element: unknown): number => {
  interface Place {
    readonly tabIndex: number
    readonly matches: (selector: string) => boolean
    readonly checkVisibility: () => boolean
  }
  const { document } = globalThis as unknown as {
    readonly document: {
      readonly activeElement: Place
      readonly querySelectorAll: (selector: string) => Iterable<Place>
    }
  }
  const places = [...document.querySelectorAll("a[href], button, input, select, textarea, [tabindex]")].filter(
    (place) => place.tabIndex >= 0 && !place.matches(":disabled, [inert] *") && place.checkVisibility()
  )
  const from = places.indexOf(document.activeElement)
  // Where the key begins that is pressed beside all of them, only the browser knows.
  return from < 0 ? 0 : places.indexOf(element as Place) - from
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
    const context = await browser.newContext({ viewport: usual, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    return new Visitor(browser, page)
  }

  /** What axe finds that would keep somebody out. */
  async barriers(): Promise<ReadonlyArray<string>> {
    // Evaluated from outside, so that the page's own policy stays as it is.
    if ((await this.page.evaluate("typeof axe")) === "undefined") await this.page.evaluate(axe.source)
    await this.page.evaluate(settled)
    const violations = await this.page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        readonly axe: { run: (options: object) => Promise<{ violations: ReadonlyArray<Violation> }> }
      }
      // Of what is well nothing is asked, and styles are read where they are: that is most of what takes long.
      const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"], resultTypes: ["violations"], preload: false }
      return (await axe.run(options)).violations
    })
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`))
  }

  /** The same in every look, and what does not fit into one. */
  async barriersInAllLooks(): Promise<ReadonlyArray<string>> {
    const found: Array<string> = []
    for (const { colorScheme, viewport } of looks) {
      const look = `${colorScheme}, ${viewport.width} px`
      await this.page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
      await this.page.setViewportSize(viewport)
      found.push(...(await this.barriers()).map((barrier) => `${look}: ${barrier}`))
      const width = await this.page.evaluate<number>("document.documentElement.scrollWidth")
      if (width > viewport.width) found.push(`${look}: it is ${width} px wide`)
    }
    await this.page.emulateMedia({ colorScheme: "light", reducedMotion: null })
    await this.page.setViewportSize(usual)
    return found
  }

  /** Goes there as somebody does who has no mouse. */
  async reach(wanted: Locator, by: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    await wanted.waitFor()
    // Found once: to look for it at each step takes longer than the step. What was drawn anew is found again.
    const find = () => wanted.elementHandle() as Promise<ElementHandle<InPage>>
    let found = await find()
    // Most of the way at once, as somebody does who holds the key down.
    const way = (await found.evaluate(stepsTo)) * (by === "Tab" ? 1 : -1)
    await Promise.all(Array.from({ length: Math.max(0, way - 1) }, () => this.page.keyboard.press(by)))
    const isThere = async () => {
      const standing = await found.evaluate((element) => [element.isConnected, element.matches(":focus")] as const)
      if (!standing[0]) found = await find()
      return standing[1]
    }
    for (let steps = 0; !(await isThere()); steps++) {
      if (steps === stepsMax) throw new Error(`${String(wanted)} can't be reached by ${by}`)
      await this.page.keyboard.press(by)
    }
  }

  /** Goes to a button or a link, and takes it. */
  async take(wanted: Locator, by: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    await this.reach(wanted, by)
    await this.page.keyboard.press("Enter")
  }

  /** Writes into a field, in the place of what is there. */
  async write(field: Locator, text: string): Promise<void> {
    await this.reach(field)
    await this.page.keyboard.press("Control+A")
    await this.page.keyboard.type(text)
  }

  /** Chooses the first option that begins so. */
  async choose(field: Locator, text: string): Promise<void> {
    await this.reach(field)
    await this.page.keyboard.type(text)
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
