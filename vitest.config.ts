import { defineConfig } from "vitest/config"
import { SkippedReporter } from "./test/support/SkippedReporter.ts"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "e2e/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/fixtures/**"],
    maxWorkers: 2,
    // For a machine that is busy with much else: what hangs is found out a minute later, what is slow is not failed for it.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    allowOnly: false,
    passWithNoTests: false,
    reporters: ["default", new SkippedReporter()]
  }
})
