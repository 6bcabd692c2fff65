import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, createReadStream, existsSync } from "node:fs"
import type { RequestListener } from "node:http"
import { dirname, join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { bundleTarget, sandboxVariables } from "../../src/egress/sandboxVariables.ts"
import { egress } from "../../src/sandbox/Sandbox.ts"
import { httpServer } from "../support/LocalServer.ts"
import { openProxy, temporaryDirectory, type WorldOptions } from "../support/proxyWorld.ts"
import { testSite } from "../support/TestSite.ts"

const secret = "Bearer of-the-vault"
const relay =
  `socat TCP-LISTEN:${egress.port},bind=${egress.host},fork,reuseaddr UNIX-CONNECT:${egress.socket} & ` +
  `until socat -u OPEN:/dev/null TCP:${egress.host}:${egress.port} 2>/dev/null; do sleep 0.02; done; `

interface Ran {
  readonly code: number | null
  readonly out: string
}

/** Runs a shell command in namespaces of its own, with the proxy's socket as the only thing of the network. */
const inSandbox = (proxy: { readonly socketPath: string; readonly bundlePath: string }, command: string) =>
  Effect.callback<Ran>((resume) => {
    const variables = Object.entries({ ...sandboxVariables(), PATH: "/opt/node:/usr/bin:/bin", HOME: "/tmp" })
    const links = ["bin", "lib", "lib64", "sbin"].filter((name) => existsSync(`/usr/${name}`))
    const child = spawn(
      "bwrap",
      [
        ...["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"],
        ...variables.flatMap(([name, value]) => ["--setenv", name, value]),
        ...["--ro-bind", "/usr", "/usr", ...links.flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`])],
        ...["--ro-bind", "/etc/ssl", "/etc/ssl", "--ro-bind", proxy.bundlePath, bundleTarget],
        ...["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"],
        ...["--ro-bind", dirname(process.execPath), "/opt/node", "--bind", proxy.socketPath, egress.socket],
        ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--", "sh", "-c", relay + command]
      ],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    let out = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (out += chunk.toString()))
    child.on("error", (error) => resume(Effect.die(error)))
    child.on("close", (code) => resume(Effect.succeed({ code, out })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const repository = Effect.map(temporaryDirectory, (directory) => {
  const git = (...args: ReadonlyArray<string>) =>
    assert.strictEqual(
      spawnSync("git", ["-C", directory, "-c", "user.name=a", "-c", "user.email=a@b", ...args]).status,
      0
    )
  git("init", "-q", "-b", "main")
  git("commit", "-q", "--allow-empty", "-m", "first")
  git("update-server-info")
  return join(directory, ".git")
})

/** The world outside: says what credentials it was shown, and serves a repository as plain files. */
const outside = Effect.fnUntraced(function* (rewrites?: WorldOptions["rewrites"]) {
  const files = yield* repository
  const listener: RequestListener = (request, response) => {
    const path = /^\/repository\.git(\/[\w/.-]+)/.exec(request.url ?? "")?.[1]
    if (path === undefined) {
      response.end(`seen: ${request.headers.authorization ?? "nothing"}`)
      return
    }
    createReadStream(join(files, path))
      .on("error", () => response.writeHead(404).end())
      .pipe(response)
  }
  const site = yield* testSite("site.test", listener)
  const plain = yield* httpServer(listener)
  const proxy = yield* openProxy({
    alsoAllowed: [site.authority, `site.test:${plain}`],
    names: { "site.test": ["127.0.0.1"], "other.test": ["127.0.0.1"] },
    certificates: [site.ca],
    ...(rewrites === undefined ? {} : { rewrites })
  })
  return { proxy, plain, url: `https://${site.authority}` }
})

const python = (url: string) => `python3 -c 'import urllib.request as u; print(u.urlopen("${url}/").read().decode())'`
const node = (url: string) => `node -e 'fetch("${url}/").then((r) => r.text()).then(console.log)'`

const programs: ReadonlyArray<readonly [string, (url: string) => string]> = [
  ["curl", (url) => `curl -sS ${url}/`],
  ["Python's urllib", python],
  ["Node's fetch", node]
]

/** What the site says, as the program prints it. */
const expectLine = (seen: string, command: (url: string) => string) =>
  command("").startsWith("curl") ? `seen: ${seen}` : `seen: ${seen}\n`

requires("bubblewrap")("Programs in a sandbox without a network", () => {
  it.live.each(programs)(
    "%s reaches a server over TLS, and the certificate is the server's",
    ([, command]) =>
      Effect.gen(function* () {
        const { proxy, url } = yield* outside()
        assert.deepStrictEqual(yield* inSandbox(proxy, command(url)), { code: 0, out: expectLine("nothing", command) })
      }),
    120_000
  )

  it.live.each(programs)(
    "%s is given credentials that are nowhere in the sandbox",
    ([, command]) =>
      Effect.gen(function* () {
        const { proxy, url } = yield* outside({ "site.test": () => Effect.succeed({ authorization: secret }) })
        assert.deepStrictEqual(yield* inSandbox(proxy, command(url)), { code: 0, out: expectLine(secret, command) })
        const { out } = yield* inSandbox(proxy, `env; cat ${bundleTarget}`)
        assert.notInclude(out, secret)
        assert.notInclude(out, "PRIVATE KEY")
      }),
    120_000
  )

  it.live.each([
    ["passed through", undefined],
    ["ended on the way", { "site.test": () => Effect.succeed({ authorization: secret }) }]
  ] as const)(
    "git clones over TLS that is %s",
    ([, rewrites]) =>
      Effect.gen(function* () {
        const { proxy, url } = yield* outside(rewrites)
        const clone = `git clone -q ${url}/repository.git /tmp/copy && git -C /tmp/copy log --format=%s`
        assert.deepStrictEqual(yield* inSandbox(proxy, clone), { code: 0, out: "first\n" })
      }),
    120_000
  )

  it.live(
    "plain HTTP goes through as well",
    () =>
      Effect.gen(function* () {
        const { plain, proxy } = yield* outside()
        for (const [, command] of programs) {
          const { code, out } = yield* inSandbox(proxy, command(`http://site.test:${plain}`))
          assert.include(out, "seen: nothing")
          assert.strictEqual(code, 0)
        }
      }),
    120_000
  )

  it.live(
    "what is refused says so: a 403 to a tunnel and to a request",
    () =>
      Effect.gen(function* () {
        const { plain, proxy } = yield* outside()
        const tunnel = yield* inSandbox(proxy, "curl -sS https://other.test/")
        assert.match(tunnel.out, /403/)
        assert.notStrictEqual(tunnel.code, 0)
        const request = yield* inSandbox(proxy, `curl -sS http://other.test:${plain}/`)
        assert.include(request.out, "is refused (address_not_public)")
      }),
    120_000
  )

  it.live(
    "there is no way around the proxy",
    () =>
      Effect.gen(function* () {
        const { plain, proxy } = yield* outside()
        for (const address of [`127.0.0.1:${plain}`, "1.1.1.1:80", "169.254.169.254:80", "[::1]:80"]) {
          const { code } = yield* inSandbox(proxy, `curl -sS --max-time 5 --noproxy '*' http://${address}/`)
          assert.notStrictEqual(code, 0, address)
        }
      }),
    120_000
  )
})

requires("root", "bubblewrap")("The socket of a sandbox", () => {
  const owner = { uid: 54_321, gid: 54_321 }
  const connects = (uid: number, socketPath: string) =>
    spawnSync("socat", ["-u", "OPEN:/dev/null", `UNIX-CONNECT:${socketPath}`], { uid, gid: uid, cwd: "/" }).status === 0

  it.live("lets in the account of the sandbox and no other one", () =>
    Effect.gen(function* () {
      const proxy = yield* openProxy({ owner })
      chmodSync(proxy.directory, 0o755)
      assert.isTrue(connects(owner.uid, proxy.socketPath))
      assert.isFalse(connects(owner.uid + 1, proxy.socketPath))
    })
  )
})
