import { assert } from "@effect/vitest"

const withinMs = 5_000

/** Waits for what a revocation ends, and holds it to the five seconds that are promised, from the answer to it on. */
export const endsBy = async <A>(revokes: Promise<{ readonly status: number }>, ends: () => Promise<A>): Promise<A> => {
  assert.strictEqual((await revokes).status, 200)
  const since = performance.now()
  const ended = await ends()
  assert.isBelow(performance.now() - since, withinMs)
  return ended
}

/** How a request is answered once it is not answered as before. */
export const refusalOf = async (asked: () => Promise<{ readonly status: number }>): Promise<number> => {
  let status = 200
  while (status === 200) status = (await asked()).status
  return status
}
