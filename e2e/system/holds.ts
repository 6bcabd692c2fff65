import { assert, it } from "vitest"
import { inTurn } from "../support/inTurn.ts"
import { Trial, type TrialOptions } from "./Trial.ts"

export const full = process.env["TROUPE_FULL"] === "1"
export const seed = Number(process.env["TROUPE_SEED"] ?? 1)

/** Tells a story to a system of its own, and holds what is left to every promise. */
export const holds = (name: string, story: (trial: Trial) => Promise<void>, options: TrialOptions = {}): void =>
  it.concurrent(name, { timeout: 1_800_000 }, async () => {
    const told = { seed, ...options }
    assert.deepStrictEqual(await inTurn(() => Trial.run(told, story)), [], `with TROUPE_SEED=${told.seed}`)
  })
