// The checks are only worth their seconds while they bite: each import rule and the Effect rules meet a bad sample here.
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { root } from "./support/repository.ts"

const scratch = mkdtempSync(join(tmpdir(), "troupe-check-"))

const write = (file: string, text: string) => {
  const path = join(scratch, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const run = (command: string, ...args: ReadonlyArray<string>) => {
  const path = `${join(root, "node_modules/.bin")}:${process.env.PATH ?? ""}`
  const result = spawnSync(command, args, { cwd: scratch, encoding: "utf8", env: { ...process.env, PATH: path } })
  return { status: result.status, output: result.stdout + result.stderr }
}

beforeAll(() => {
  cpSync(join(root, ".oxlintrc.json"), join(scratch, ".oxlintrc.json"))
  write("package.json", `{ "type": "module" }`)
  cpSync(join(root, "tsconfig.base.json"), join(scratch, "tsconfig.base.json"))
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"))
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** file, code, and words of the sentence that comes back */
const refused: ReadonlyArray<readonly [file: string, code: string, sentence: string]> = [
  ["domain/src/a.ts", `import "node:fs"`, "domain imports only effect"],
  ["domain/src/b.ts", `import "pg"`, "domain imports only effect"],
  ["domain/src/c.ts", `import "@troupe/client/x"`, "domain imports only effect"],
  ["domain/src/d.ts", `import "effect/cluster"`, "Only packages/server knows the cluster"],
  ["domain/src/e.ts", `import "../../server/src/x.ts"`, "by its name"],
  ["domain/src/f.ts", `export const f = () => fetch("/")`, "domain is pure"],
  ["domain/src/g.ts", `export const g = () => Math.random()`, "random values arrive inside the command"],
  ["domain/src/h.ts", `import "../test/x.ts"`, "does not import test code"],
  ["client/src/a.ts", `import "@troupe/server/x"`, "client imports only effect and domain"],
  ["client/src/b.ts", `import "node:http"`, "client imports only effect and domain"],
  ["cli/src/a.ts", `import "@troupe/server/x"`, "never loads server or runner"],
  ["cli/src/b.ts", `import "@troupe/runner/x"`, "never loads server or runner"],
  ["cli/src/c.ts", `import "effect/cluster"`, "Only packages/server knows the cluster"],
  ["console/src/a.ts", `import "@troupe/server/x"`, "through client"],
  ["console/src/b.ts", `import "node:path"`, "runs in a browser"],
  ["server/src/a.ts", `import "@troupe/runner/x"`, "only through domain's RunnerRpc"],
  ["server/src/b.ts", `import "@effect/platform-node"`, "Import a subpath"],
  ["server/src/c.ts", `console.log("x")`, "console"],
  [
    "runner/src/a.ts",
    `import type { X } from "@troupe/server/x"\nexport type Y = X`,
    "only through domain's RunnerRpc"
  ],
  ["runner/src/b.ts", `import "effect/cluster"`, "Only packages/server knows the cluster"]
]

const accepted: ReadonlyArray<readonly [file: string, code: string]> = [
  [
    "domain/src/ok.ts",
    `import { Effect } from "effect"\nimport "effect/rpc"\nimport "./session/x.ts"\nexport const ok = Effect.void`
  ],
  ["client/src/ok.ts", `import "@troupe/domain/Ids"\nimport "effect/http"`],
  ["cli/src/ok.ts", `import "@troupe/client/x"\nimport "node:fs"\nconsole.log("x")`],
  [
    "server/src/ok.ts",
    `import "effect/cluster"\nimport "@troupe/domain/Ids"\nimport "@effect/platform-node/NodeRuntime"`
  ],
  ["runner/src/ok.ts", `import "@troupe/domain/Ids"\nimport "node:fs"`]
]

describe("lint", () => {
  it.each(refused)("refuses %s: %s", (file, code, sentence) => {
    write(`packages/${file}`, `${code}\n`)
    const { status, output } = run("oxlint", `packages/${file}`)
    assert.strictEqual(status, 1, output)
    assert.include(output.replace(/\s+/g, " "), sentence)
  })

  it.each(accepted)("accepts %s", (file, code) => {
    write(`packages/${file}`, `${code}\n`)
    const { status, output } = run("oxlint", `packages/${file}`)
    assert.strictEqual(status, 0, output)
  })

  it("refuses files that import each other", () => {
    write("packages/server/src/cycle/a.ts", `import { b } from "./b.ts"\nexport const a = () => b\n`)
    write("packages/server/src/cycle/b.ts", `import { a } from "./a.ts"\nexport const b = () => a\n`)
    const { status, output } = run("node", join(root, "scripts/lint.mjs"), "packages/server/src/cycle")
    assert.strictEqual(status, 1, output)
    assert.include(output, "import(no-cycle)")
    assert.include(output, "move what both need to a file of its own")
  })
})

describe("types", () => {
  const program = (code: string) => {
    write(
      "types/tsconfig.json",
      `{ "extends": "../tsconfig.base.json", "compilerOptions": { "incremental": false }, "include": ["*.ts"] }`
    )
    write("types/a.ts", code)
    return run("tsc", "-p", "types", "--pretty", "false")
  }

  it.each([
    ["a floating effect", `import { Effect } from "effect"\nEffect.log("lost")\n`, "floatingEffect"],
    ["syntax that cannot be erased", "export enum Colour { Red }\n", "TS1294"],
    ["globals of Node where none are", "export const port = process.env\n", "TS2591"],
    ["an index that may miss", "export const first = (all: ReadonlyArray<string>): string => all[0]\n", "TS2322"]
  ])("refuse %s", (_, code, error) => {
    const { status, output } = program(code)
    assert.notStrictEqual(status, 0)
    assert.include(output, error)
  })

  it("accept sound code", () => {
    const { status, output } = program(`import { Effect } from "effect"\nexport const sound = Effect.succeed(1)\n`)
    assert.strictEqual(status, 0, output)
  })
})
