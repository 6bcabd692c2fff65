// npm run check: everything that can be said about the code without running it. All parts run, then the verdict.
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"

const parts = [
  ["types", "tsc", ["-b"]],
  ["lint", "node", ["scripts/lint.mjs"]],
  ["format", "oxfmt", ["--check"]],
  ["API description", "node", ["scripts/openapi.mjs", "--check"]],
  ["dead code", "knip", ["--no-progress", "--no-config-hints"]]
]

const results = parts.map(([name, command, args]) => {
  const started = performance.now()
  const { status } = spawnSync(command, args, { stdio: "inherit" })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`check ${status === 0 ? "passed" : "FAILED"}: ${name} (${seconds} s)`)
  return { name, ok: status === 0 }
})

const failed = results.filter(({ ok }) => !ok).length
const summary = process.env.TROUPE_CHECK_SUMMARY
if (summary) writeFileSync(summary, JSON.stringify({ passed: results.length - failed, failed }))
process.exit(failed === 0 ? 0 : 1)
