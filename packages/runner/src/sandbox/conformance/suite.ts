import type { Check } from "./Check.ts"
import { ending } from "./ending.ts"
import { isolation } from "./isolation.ts"
import { limits } from "./limits.ts"
import { network } from "./network.ts"
import { requests } from "./requests.ts"
import { running } from "./running.ts"
import { terminal } from "./terminal.ts"

/** All that a backend is held to: those of the checks which it promises, by what it declares and what its probe says. */
export const conformance: ReadonlyArray<Check> = [
  ...running,
  ...ending,
  ...requests,
  ...limits,
  ...isolation,
  ...network,
  ...terminal
]
