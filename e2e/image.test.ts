import { assert, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { randomUUID } from "node:crypto"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { buildConsole } from "../scripts/console.mjs"
import { requires } from "../test/requires.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const run = (command: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(() =>
    promisify(execFile)(command, [...args], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DOCKER_BUILDKIT: "0" }
    })
  ).pipe(Effect.map(({ stdout }) => stdout.trim()))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "troupe-image-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** An image that is gone at the end, with the stages that a build has left. */
const image = (build: (tag: string) => Effect.Effect<unknown>): Effect.Effect<string, never, Scope.Scope> => {
  const tag = `troupe-test:${randomUUID()}`
  return Effect.acquireRelease(Effect.as(build(tag), tag), () =>
    Effect.gen(function* () {
      const stages = yield* run("docker", "images", "--quiet", "--filter", "dangling=true", "--filter", `since=${tag}`)
      yield* run("docker", "rmi", "--force", tag, ...stages.split("\n").filter((id) => id !== ""))
    }).pipe(Effect.ignore)
  )
}

/** What `npm ci` would install: it can't ask a registry from inside a build that knows none. */
const copyDependencies = Effect.fnUntraced(function* (into: string) {
  const listed = yield* run("npm", "ls", "--omit=dev", "--omit=optional", "--all", "--parseable")
  const modules = join(root, "node_modules")
  for (const path of listed.split("\n").filter((one) => one.startsWith(`${modules}/`))) {
    cpSync(path, join(into, relative(modules, path)), { recursive: true, verbatimSymlinks: true })
  }
})

/** What it does of npm's work: the first stage gets its dependencies, the second the console as this machine builds it. */
const npm = `#!/bin/sh
case "$1" in
  ci) [ ! -d /modules ] || mv /modules node_modules ;;
  run) mv /console packages/console/dist ;;
esac
`

/** In place of `node:24-slim`: Node, and an npm that has what it would download. */
const baseImage = Effect.gen(function* () {
  const context = yield* directory
  cpSync(process.execPath, join(context, "node"))
  mkdirSync(join(context, "modules"))
  yield* copyDependencies(join(context, "modules"))
  for (const name of ["domain", "client", "server", "runner", "cli", "console"]) {
    mkdirSync(join(context, "modules/@troupe"), { recursive: true })
    rmSync(join(context, "modules/@troupe", name), { recursive: true, force: true })
  }
  writeFileSync(join(context, "npm"), npm, { mode: 0o755 })
  const built = buildConsole()
  assert.isTrue(built === null || built.ok, built?.output)
  cpSync(join(root, "packages/console/dist"), join(context, "console"), { recursive: true })
  writeFileSync(
    join(context, "Dockerfile"),
    `FROM troupe-sandbox:1
COPY node npm /usr/local/bin/
COPY modules /modules
COPY console /console
RUN for name in domain client server runner cli console; do ln -s ../../packages/$name /modules/@troupe/$name; done
`
  )
  return yield* image((tag) => run("docker", "build", "--tag", tag, context))
})

const container = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(run("docker", "run", "--detach", "--label", "dev.troupe.role=test", ...args), (id) =>
    run("docker", "rm", "--force", "--volumes", id)
  )

const network = Effect.acquireRelease(
  run("docker", "network", "create", "--internal", `troupe-${randomUUID()}`),
  (id) => run("docker", "network", "rm", id)
)

const health = (id: string) => run("docker", "inspect", "--format", "{{.State.Health.Status}}", id)

requires("full", "docker")("the image of a node", () => {
  it.live(
    "is built by any builder, and serves read-only and as nobody beside a Postgres",
    () =>
      Effect.gen(function* () {
        const base = yield* baseImage
        const node = yield* image((tag) =>
          run("docker", "build", "--file", "docker/Dockerfile", "--build-arg", `BASE_IMAGE=${base}`, "--tag", tag, ".")
        )
        const net = yield* network
        yield* container(
          "--network",
          net,
          "--network-alias",
          "db",
          "--env",
          "POSTGRES_PASSWORD=x",
          "troupe-postgres:15"
        )
        const id = yield* container(
          ...[
            "--network",
            net,
            "--read-only",
            "--tmpfs",
            "/tmp",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--init"
          ],
          ...["--env", "DATABASE_URL=postgres://postgres:x@db/postgres", "--restart", "on-failure", node]
        )
        for (let looks = 0; looks < 120 && (yield* health(id)) !== "healthy"; looks++) yield* Effect.sleep("500 millis")
        assert.strictEqual(yield* health(id), "healthy", yield* run("docker", "logs", "--tail", "40", id))
        const ready = "fetch('http://127.0.0.1:4777/readyz').then((answer) => answer.text()).then(console.log)"
        assert.strictEqual(yield* run("docker", "exec", id, "node", "-e", ready), `{"status":"ready"}`)
        const page = ready.replace("readyz", "")
        assert.include(yield* run("docker", "exec", id, "node", "-e", page), `<div id="root">`)
        assert.notStrictEqual(yield* run("docker", "exec", id, "id", "-u"), "0")
      }).pipe(Effect.scoped),
    300_000
  )
})
