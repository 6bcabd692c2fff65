import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { LongestFirst } from "./test/support/LongestFirst.ts"
import { SkippedReporter } from "./test/support/SkippedReporter.ts"

// Every process of a run finds here what another one has compiled.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/troupe-code")

const never = ["**/node_modules/**", "**/fixtures/**"]
/** Suites that change nothing outside themselves: to load their modules anew for each file takes longer than they do. */
const pure = ["cli", "client", "console", "domain"].map((name) => `packages/${name}/test/**/*.test.ts`)

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "together", include: pure, exclude: never, isolate: false } },
      {
        extends: true,
        test: {
          name: "alone",
          include: ["packages/*/test/**/*.test.ts", "e2e/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...never, ...pure]
        }
      }
    ],
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
