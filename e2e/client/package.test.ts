import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const long = 180_000
const root = join(import.meta.dirname, "../..")
const budgetKiB = 60

/** As strict as anybody's. */
const compilerOptions = {
  target: "ES2022",
  lib: ["ES2022", "DOM", "ESNext.Disposable"],
  module: "NodeNext",
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true
}

describe("what is published", () => {
  const project = mkdtempSync(join(tmpdir(), "troupe-consumer-"))
  const tried = (command: string, ...args: ReadonlyArray<string>) => {
    const { status, stderr, stdout } = spawnSync(command, args, { cwd: project, encoding: "utf8" })
    return { status, said: stdout + stderr, stdout }
  }
  const run = (command: string, ...args: ReadonlyArray<string>) => {
    const { said, status, stdout } = tried(command, ...args)
    assert.strictEqual(status, 0, said)
    return stdout
  }

  beforeAll(() => {
    run(process.execPath, join(root, "scripts/pack.mjs"), project)
    const dependencies = {
      "@troupe/client": "file:./troupe-client-0.1.0.tgz",
      "@troupe/domain": "file:./troupe-domain-0.1.0.tgz",
      "@troupe/sandbox": "file:./troupe-sandbox-0.1.0.tgz",
      // As it is here, since nothing is fetched.
      effect: `file:${join(root, "node_modules/effect")}`
    }
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", dependencies }))
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions }))
    cpSync(join(import.meta.dirname, "fixtures/consumer"), project, { recursive: true })
    run("npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel=error")
    run(join(root, "node_modules/.bin/tsc"), "-p", "tsconfig.json")
  }, long)
  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it("gives an empty project a client with its types, which runs there", { timeout: long }, () => {
    assert.strictEqual(run(process.execPath, "index.js"), "ConnectionError\n")
  })

  it("holds a backend that was written there to all that it promises", { timeout: long }, () => {
    const suite = join(project, "node_modules/.bin/troupe-sandbox-conformance")
    const kept = run(suite, "backend.js")
    assert.include(kept, "kept    absent: nothing runs, and that is said as such\n")
    assert.include(kept, "nothing-runs is usable here, and keeps 1 of 1 promises\n")
    const { said, status } = tried(suite, "boastful.js")
    assert.strictEqual(status, 1, said)
    assert.include(said, "BROKEN  running: a command ends with its own code\n")
    assert.match(said, /boastful is usable here, and keeps \d of \d\d promises\n/)
  })

  it(
    `of the client is at most ${budgetKiB} KiB to a browser, and has nothing of effect`,
    { timeout: long },
    async () => {
      const input = join(project, "node_modules/@troupe/client/dist/index.js")
      const bundle = await rolldown({ input, platform: "browser" })
      const { output } = await bundle.generate({ format: "es", minify: true })
      // What is loaded only when it is needed counts, too.
      const chunks = output.flatMap((one) => (one.type === "chunk" ? [one] : []))
      const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
      assert.deepStrictEqual(
        modules.filter((id) => id.includes("node_modules/effect/")),
        []
      )
      const bytes = chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0)
      assert.isAtMost(bytes / 1_024, budgetKiB)
    }
  )
})
