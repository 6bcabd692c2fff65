import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { requires } from "../../test/requires.ts"
import { AllInOne } from "../support/AllInOne.ts"
import type { Running } from "../support/Running.ts"

const long = 180_000
const address = "192.168.77.5"

/** A host with one address in a local network, in a namespace of its own. */
const network = `ip link set lo up
  ip link add lan0 type veth peer name lan1
  ip addr add ${address}/24 dev lan0
  ip link set lan0 up
  ip link set lan1 up
  exec "$@"`

interface Request {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/** Sends requests as they are told, with whatever Host, and prints the status of each. */
const asker = `
  import { request } from "node:http"
  const [host, port, requests] = JSON.parse(process.argv[1])
  const ask = ({ body, headers, method = "GET", path }) => new Promise((resolve) => {
    const json = body === undefined ? {} : { "content-type": "application/json" }
    const sent = request({ host, port, method, path, headers: { ...json, ...headers } }, (answer) => resolve(answer.resume().statusCode))
    sent.on("error", ({ code }) => resolve(code))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
  const all = []
  for (const one of requests) all.push(await ask(one))
  console.log(JSON.stringify(all))`

requires("postgres", "root")("troupe up --lan", () => {
  const troupe = new AllInOne()
  let up: Running
  let port: string
  const inside = (...words: ReadonlyArray<string>) => ["nsenter", "-t", String(up.child.pid), "-n", ...words] as const
  const asked = async (host: string, ...requests: ReadonlyArray<Request>) => {
    const script = ["--input-type=module", "-e", asker, JSON.stringify([host, port, requests])]
    const { stderr, stdout } = await troupe.program(inside(process.execPath, ...script)).end()
    assert.isNotEmpty(stdout, stderr)
    return JSON.parse(stdout) as ReadonlyArray<number | string>
  }

  beforeAll(async () => {
    // The pages themselves are of no interest here.
    const pages = join(troupe.home, "console")
    mkdirSync(pages)
    writeFileSync(join(pages, "index.html"), "<!doctype html><title>Console</title>")
    const environment = { TROUPE_CONSOLE_DIRECTORY: pages }
    up = troupe.behind(["unshare", "--net", "sh", "-ec", network, "sh"], ["up", "--lan"], environment)
    await up.says("Ctrl-C stops it.")
    port = new URL(troupe.url).port
  }, long)
  afterAll(() => troupe.remove(), long)

  it("shows its address, a link, and the link as a code for a camera", () => {
    const { stdout } = up.said
    assert.match(stdout, new RegExp(`url +http://${address}:${port}\n`))
    assert.match(stdout, new RegExp(`console +http://${address}:${port}/login#trp_log_`))
    assert.match(stdout, /(?:[█▀▄ ]{30,}\n){15,}/)
    assert.include(stdout, "nobody comes in without that link or a key")
  })

  it("lets nobody in without a key or the link, and with the link once", { timeout: long }, async () => {
    const own = { origin: `http://${address}:${port}` }
    const [, token] = /login#(\S+)/.exec(up.said.stdout)!
    const login = { method: "POST", path: "/v1/login", headers: own, body: { token } }
    const found = await asked(address, { path: "/v1/agents" }, { path: "/v1/sessions", headers: own }, login, login)
    assert.deepStrictEqual(found, [401, 401, 200, 401])
  })

  it("is known by its address alone, and by no page of another", { timeout: long }, async () => {
    const hosts = ["evil.example", "localhost", "127.0.0.1", "10.0.0.1", "[::1]"]
    const path = "/healthz"
    const named = hosts.map((host) => ({ path, headers: { host: `${host}:${port}` } }))
    const paged = hosts.map((host) => ({ path, headers: { origin: `http://${host}:${port}` } }))
    const found = await asked(address, { path }, ...named, ...paged)
    assert.deepStrictEqual(found, [200, ...[...named, ...paged].map(() => 403)])
    assert.deepStrictEqual(await asked("127.0.0.1", { path }), ["ECONNREFUSED"])
  })

  it("is what commands on this host talk to", { timeout: long }, async () => {
    const words = inside() as unknown as readonly [string, ...ReadonlyArray<string>]
    const { code, stderr, stdout } = await troupe.behind(words, ["run", "--yes", "run: echo $((20 + 3))"]).end()
    assert.strictEqual(code, 0, stderr)
    assert.include(stdout, "23")
  })

  it("says so where there is no local network", { timeout: long }, async () => {
    const home = `${troupe.home}/other`
    const { code, stderr } = await troupe.behind(["unshare", "--net"], ["up", "--lan"], { TROUPE_HOME: home }).end()
    assert.strictEqual(code, 2)
    assert.match(stderr, /^This host has no address in a local network\.\n.*TROUPE_HOST=/)
  })
})
