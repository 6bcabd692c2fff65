import type { Protections } from "../../src/log/AppendStatement.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"

/** A safeguard that a node of a test goes without, to prove that the judge sees it. */
export type Unsafe = keyof Protections | "outputGate"

const all: ReadonlyArray<string> = ["fencing", "duplicates", "horizon", "outputGate"] satisfies ReadonlyArray<Unsafe>

/** What stands in `TROUPE_TEST_UNSAFE`. Only the tests' own node reads it. */
export const unsafeOf = (name: string | undefined): Unsafe | undefined => {
  if (name === undefined || name === "") return undefined
  if (!all.includes(name)) throw new Error(`TROUPE_TEST_UNSAFE is one of ${all.join(", ")}, and not ${name}`)
  return name as Unsafe
}

/** The log in Postgres, without one of its safeguards if that is the one. */
export const logWithout = (unsafe: Unsafe | undefined) =>
  unsafe === undefined || unsafe === "outputGate" ? EventStorePg.layer : EventStorePg.layerUnsafe({ [unsafe]: false })
