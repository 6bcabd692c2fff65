import type { Calibration } from "../../harness/Calibration.ts"
import { bounded, type Result } from "../../harness/Result.ts"
import { quantile, rounded } from "../../harness/stats.ts"

/** The 95th percentile of all that was measured, held to its budget; the least and the most beside it. */
export const p95 = (
  metric: string,
  taken: ReadonlyArray<number>,
  atMost: number,
  { processor }: Pick<Calibration, "processor">
): Result => {
  const sorted = taken.toSorted((a, b) => a - b)
  const subject = { id: "P10", metric: `${metric}, p95 of ${taken.length}`, unit: "ms" }
  const result = bounded(subject, [quantile(sorted, 0.95)], { atMost }, processor)
  return { ...result, min: rounded(sorted[0]!), max: rounded(sorted.at(-1)!), rounds: taken.length }
}
