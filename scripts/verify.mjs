// npm run verify: every check, test and benchmark unabridged, with a dated report in docs/reports.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { cpus, release, tmpdir, totalmem } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { conformanceOf } from "./report.mjs"

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const results = mkdtempSync(join(tmpdir(), "troupe-verify-"))

const part = (name, command, args, env = {}) => {
  const started = performance.now()
  const file = join(results, `${name}.json`)
  const { status } = spawnSync(command, args, {
    cwd: path("."),
    env: { ...process.env, ...env, TROUPE_CHECK_SUMMARY: file, TROUPE_TEST_SUMMARY: file },
    stdio: "inherit"
  })
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}
  return { name, ok: status === 0, minutes: (performance.now() - started) / 60_000, counts }
}

const git = (...args) => spawnSync("git", args, { cwd: path("."), encoding: "utf8" }).stdout?.trim() ?? ""
const commit = git("rev-parse", "--short", "HEAD") || "unknown"
const changed = git("status", "--porcelain") === "" ? "" : ", with uncommitted changes"

/** A suite of benchmarks is a file. */
const suites = readdirSync(path("bench/suites")).flatMap((file) => /^(\w+)\.ts$/.exec(file)?.[1] ?? [])

const parts = [
  part("check", "node", ["scripts/check.mjs"]),
  part("test", "vitest", ["run"], { TROUPE_FULL: "1" }),
  ...suites.map((suite) => part(`bench ${suite}`, "node", ["bench/run.ts", suite]))
]

const { counts: tests } = parts.find(({ name }) => name === "test")
const now = new Date().toISOString()
const row = ({ name, ok, minutes, counts }) =>
  `| ${name} | ${ok ? "passed" : "FAILED"} | ${counts.passed ?? "–"} | ${counts.failed ?? "–"} | ${counts.skipped ?? "–"} | ${minutes.toFixed(1)} |`

const report = [
  `# Verification of ${now.slice(0, 10)}`,
  "",
  `Commit ${commit}${changed}, at ${now}. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}.`,
  "",
  "| part | result | passed | failed | skipped | minutes |",
  "|---|---|---|---|---|---|",
  ...parts.map(row),
  "",
  conformanceOf(readFileSync(path("docs/compatibility.md"), "utf8"), tests.files ?? {}),
  ...(tests.tables ?? [])
].join("\n")

mkdirSync(path("docs/reports"), { recursive: true })
const file = `docs/reports/${now.slice(0, 16).replace("T", "-").replace(":", "")}-${commit}.md`
writeFileSync(path(file), report)
rmSync(results, { recursive: true, force: true })
console.log(`\n${report}\nwritten to ${file}`)
process.exit(parts.every(({ ok }) => ok) ? 0 : 1)
