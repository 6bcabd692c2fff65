import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { LongestFirst } from "./test/support/LongestFirst.ts"
import { SkippedReporter } from "./test/support/SkippedReporter.ts"

// Every process of a run finds here what another one has compiled.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/troupe-code")

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "e2e/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/fixtures/**"],
    // Half of their time they wait: three at once are about what two cores can do.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // For a machine that is busy with much else: what hangs is found out a minute later, what is slow is not failed for it.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    allowOnly: false,
    passWithNoTests: false,
    reporters: ["default", new SkippedReporter()]
  }
})
