import { assert, it } from "vitest"
import { Trial, type TrialOptions } from "./Trial.ts"

export const full = process.env["TROUPE_FULL"] === "1"
export const seed = Number(process.env["TROUPE_SEED"] ?? 1)

/** Stories mostly wait, so two are told at a time; more would keep each other from being told in time. */
const atOnce = 2
const waiting: Array<() => void> = []
let told = 0

const inTurn = async <A>(tell: () => Promise<A>): Promise<A> => {
  if (told === atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  else told++
  try {
    return await tell()
  } finally {
    const next = waiting.shift()
    if (next === undefined) told--
    else next()
  }
}

/** Tells a story to a system of its own, and holds what is left to every promise. */
export const holds = (name: string, story: (trial: Trial) => Promise<void>, options: TrialOptions = {}): void =>
  it.concurrent(name, { timeout: 1_800_000 }, async () => {
    const told = { seed, ...options }
    assert.deepStrictEqual(await inTurn(() => Trial.run(told, story)), [], `with TROUPE_SEED=${told.seed}`)
  })
