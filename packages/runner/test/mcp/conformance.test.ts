import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe } from "vitest"
import { packageFile, slow } from "./world.ts"

const suite = packageFile("conformance", "dist/index.js")
const client = fileURLToPath(new URL("fixtures/conformance-main.ts", import.meta.url))

/** What the suite has for clients, but for those of OAuth: tokens come to the runner as secrets, and nobody logs in there. */
const scenarios = ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"]

const run = (scenario: string) =>
  Effect.callback<{ readonly code: number; readonly output: string }>((resume) => {
    const command = `${process.execPath} ${client}`
    const options = { env: { PATH: process.env["PATH"] ?? "" }, timeout: slow }
    execFile(
      process.execPath,
      [suite, "client", "--command", command, "--scenario", scenario],
      options,
      (error, out, err) => resume(Effect.succeed({ code: Number(error?.code ?? 0), output: out + err }))
    )
  })

describe("The official conformance suite for clients", () => {
  for (const scenario of scenarios) {
    it.live(
      scenario,
      () =>
        Effect.gen(function* () {
          const { code, output } = yield* run(scenario)
          assert.strictEqual(code, 0, output)
          assert.match(output, /OVERALL: PASSED/)
        }),
      slow
    )
  }
})
