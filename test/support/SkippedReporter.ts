import { writeFileSync } from "node:fs"
import type { Reporter, SerializedError, TestModule } from "vitest/node"
import { reasonOf } from "./needs.ts"

/** Says at the end what was skipped and why; writes the counts to TROUPE_TEST_SUMMARY when that names a file. */
export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const failedFiles: Array<string> = []
    for (const module of modules) {
      const before = counts.failed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test that never came to an end is not one that passed.
        counts[state === "pending" ? "failed" : state] += 1
      }
      const broken = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0)
      counts.failed += broken.length
      if (counts.failed > before) failedFiles.push(module.relativeModuleId)
    }
    counts.failed += errors.length

    const skipped = modules.flatMap((module) =>
      [...module.children.allSuites()].flatMap((suite) => {
        const why = reasonOf(suite.name)
        return why === undefined ? [] : [`  ${module.relativeModuleId}: ${suite.name}`]
      })
    )
    if (skipped.length > 0) console.log(["", "Skipped on this machine:", ...skipped].join("\n"))

    const file = process.env.TROUPE_TEST_SUMMARY
    if (file !== undefined && file !== "")
      writeFileSync(file, JSON.stringify({ ...counts, failedFiles, errors: errors.length }))
  }
}
