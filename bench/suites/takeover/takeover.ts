import { sleep } from "../../../packages/server/test/support/TestCluster.ts"
import { bounded, type Result } from "../../harness/Result.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { Company, now } from "./Company.ts"
import { p95 } from "./percentile.ts"

/** A node that is told to stop takes so long at most; what was answered meanwhile is looked at then. */
const stoppingMs = 3_000
const thawedMs = 2_000

const killed = async (company: Company, rounds: number) => {
  const taken = { answered: [] as Array<number>, shown: [] as Array<number>, unasked: [] as Array<number> }
  for (let round = 0; round < rounds; round++) {
    const work = await company.atWork()
    const woken = await company.unasked()
    const since = now()
    const ended = company.first.end("SIGKILL")
    const [taking, unasked] = await Promise.all([work.takenOver(since), woken(since)])
    taken.answered.push(...taking.map(({ answered }) => answered))
    taken.shown.push(...taking.map(({ shown }) => shown))
    taken.unasked.push(unasked)
    await Promise.all([ended, work.stop()])
    await company.replaceFirst()
  }
  return taken
}

const stopped = async (company: Company, rounds: number) => {
  const waits: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const work = await company.atWork()
    const since = now()
    const ended = company.first.end("SIGTERM")
    await sleep(stoppingMs)
    await Promise.all([ended, work.stop()])
    waits.push(...work.longestWait(since))
    await company.replaceFirst()
  }
  return waits
}

const frozen = async (company: Company, rounds: number) => {
  const taken = { answered: [] as Array<number>, shown: [] as Array<number> }
  for (let round = 0; round < rounds; round++) {
    const work = await company.atWork()
    const since = now()
    company.first.signal("SIGSTOP")
    const taking = await work.takenOver(since)
    taken.answered.push(...taking.map(({ answered }) => answered))
    taken.shown.push(...taking.map(({ shown }) => shown))
    company.first.signal("SIGCONT")
    // Time for it to do what it believes that it may.
    await sleep(thawedMs)
    await work.stop()
    await company.settled()
  }
  return taken
}

const run = async ({ calibrate, quick, say, server }: Context): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  for (const count of [2, 3]) {
    const company = new Company(await server.createMigrated(`p10_${count}`))
    const calibration = await calibrate()
    const among = `of ${count} nodes`
    try {
      await company.start(count)
      say(`  one ${among} is killed`)
      const { answered, shown, unasked } = await killed(company, quick ? 2 : 10)
      results.push(
        p95(`killed, one ${among}: answered again`, answered, 1_500, calibration),
        p95(`killed, one ${among}: shown to readers`, shown, 1_500, calibration),
        p95(`killed, one ${among}: woken, asked by nobody`, unasked, 1_500, calibration)
      )
      say(`  one ${among} is told to stop`)
      results.push(
        p95(`told to stop, one ${among}: longest wait`, await stopped(company, quick ? 1 : 7), 2_000, calibration)
      )
      say(`  one ${among} is frozen`)
      const after = await frozen(company, quick ? 1 : 3)
      results.push(
        p95(`frozen, one ${among}: answered again`, after.answered, 12_000, calibration),
        p95(`frozen, one ${among}: shown to readers`, after.shown, 12_000, calibration)
      )
      const stale = await company.staleWrites()
      results.push(
        bounded({ id: "P10", metric: `writes of overtaken owners, ${among}`, unit: "" }, [stale], { atMost: 0 })
      )
    } finally {
      await company.end()
    }
  }
  return results
}

export const takeover: Bench = { id: "P10", about: "owners that are killed, stopped and frozen", run }
