import { writeFileSync } from "node:fs"
import type { Reporter, SerializedError, TestModule } from "vitest/node"
import { reasonOf } from "./needs.ts"

declare module "vitest" {
  interface TaskMeta {
    /** What a test has found out beside that it passed: a part of the report of `npm run verify`, in Markdown. */
    table?: string
  }
}

const countsOf = (module: TestModule) => {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const test of module.children.allTests()) {
    const { state } = test.result()
    // A test that never came to an end is not one that passed.
    counts[state === "pending" ? "failed" : state] += 1
  }
  const broken = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0)
  counts.failed += broken.length
  return counts
}

/** Says at the end what was skipped and why; writes what became of all to TROUPE_TEST_SUMMARY when that names a file. */
export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const all = modules.map((module) => [module.relativeModuleId, countsOf(module)] as const)
    const sum = (name: "passed" | "failed" | "skipped") => all.reduce((many, [, counts]) => many + counts[name], 0)

    const skipped = modules.flatMap((module) =>
      [...module.children.allSuites()].flatMap((suite) => {
        const why = reasonOf(suite.name)
        return why === undefined ? [] : [`  ${module.relativeModuleId}: ${suite.name}`]
      })
    )
    if (skipped.length > 0) console.log(["", "Skipped on this machine:", ...skipped].join("\n"))

    const file = process.env.TROUPE_TEST_SUMMARY
    if (file !== undefined && file !== "")
      writeFileSync(
        file,
        JSON.stringify({
          passed: sum("passed"),
          failed: sum("failed") + errors.length,
          skipped: sum("skipped"),
          failedFiles: all.flatMap(([name, { failed }]) => (failed > 0 ? [name] : [])),
          errors: errors.length,
          files: Object.fromEntries(all),
          tables: modules.flatMap((module) =>
            [...module.children.allTests()].flatMap((test) => test.meta().table ?? [])
          )
        })
      )
  }
}
