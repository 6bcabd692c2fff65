import { quantile } from "./stats.ts"

export interface Load {
  readonly perSecond: number
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Keeps `inFlight` operations under way for `ms`. An operation gets its slot and its turn in it, so that slots work on
 * things of their own. What is still under way at the end is waited for and counted with the time that it took.
 */
export const closedLoop = async (
  inFlight: number,
  ms: number,
  operation: (slot: number, turn: number) => Promise<unknown>
): Promise<Load> => {
  const latencies: Array<number> = []
  const begun = performance.now()
  const deadline = begun + ms
  const slot = async (index: number) => {
    for (let turn = 0, now = performance.now(); now < deadline; turn++) {
      await operation(index, turn)
      const end = performance.now()
      latencies.push(end - now)
      now = end
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, index) => slot(index)))
  const seconds = (performance.now() - begun) / 1_000
  const sorted = Float64Array.from(latencies).sort()
  return {
    perSecond: latencies.length / seconds,
    count: latencies.length,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99)
  }
}
