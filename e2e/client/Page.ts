import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { text } from "node:stream/consumers"

const html = `<!doctype html><meta charset="utf-8"><script type="module" src="/script.js"></script>`

/** A page with `/script.js` on it and what that loads, of the same origin as a node's API. What the page posts to `/said` is what it said. */
export class Page {
  readonly said: Promise<string>
  private readonly server = createServer((asked, answer) => void this.take(asked, answer))
  private readonly options: {
    readonly node: string
    readonly scripts: ReadonlyMap<string, string>
    readonly settings: object
  }
  private say!: (words: string) => void

  constructor(options: Page["options"]) {
    this.options = options
    this.said = new Promise((resolve) => {
      this.say = resolve
    })
  }

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1")
    await once(this.server, "listening")
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, "close")
  }

  private async take(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const send = (type: string, body: string) => void answer.writeHead(200, { "content-type": type }).end(body)
    switch (asked.url) {
      case "/":
        return send("text/html", html)
      case "/settings":
        return send("application/json", JSON.stringify(this.options.settings))
      case "/said":
        this.say(await text(asked))
        return send("text/plain", "")
      default: {
        const script = this.options.scripts.get(asked.url ?? "")
        return script === undefined ? this.pass(asked, answer) : send("text/javascript", script)
      }
    }
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { headers, method = "GET", url = "/" } = asked
    const passed = request(`${this.options.node}${url}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers)
      answer.flushHeaders()
      response.pipe(answer)
    })
    passed.on("error", () => answer.destroy())
    answer.on("close", () => passed.destroy())
    asked.pipe(passed)
  }
}

const installed = () =>
  ["chromium", "chromium-browser", "google-chrome"].find((name) =>
    (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)))
  )

/** Chromium without a window on one page, with a profile of its own. */
export class Browser {
  private readonly profile = mkdtempSync(join(tmpdir(), "troupe-chromium-"))
  private readonly child: ChildProcess

  constructor(url: string, name = process.env["TROUPE_CHROMIUM"] ?? installed()!) {
    const quiet = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    const alone = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    this.child = spawn(name, [...quiet, ...alone, `--user-data-dir=${this.profile}`, url], {
      stdio: "ignore",
      detached: true
    })
  }

  async close(): Promise<void> {
    const exit = once(this.child, "exit")
    // Its helpers are of its group.
    if (this.child.exitCode === null && this.child.signalCode === null) {
      process.kill(-this.child.pid!, "SIGKILL")
      await exit
    }
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
