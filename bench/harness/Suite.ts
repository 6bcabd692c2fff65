import type { Calibration } from "./Calibration.ts"
import type { Server } from "./Database.ts"
import type { Result } from "./Result.ts"
import type { Plan } from "./rounds.ts"

export interface Context {
  readonly server: Server
  /** Undefined where it is not installed: its comparisons are skipped by name. */
  readonly pgbench: string | undefined
  readonly plan: Plan
  readonly quick: boolean
  /** How slow the machine is at this moment, for budgets in milliseconds. */
  readonly calibrate: () => Promise<Calibration>
  readonly say: (line: string) => void
}

export interface Bench {
  /** As in the table of budgets. */
  readonly id: string
  readonly about: string
  readonly run: (context: Context) => Promise<ReadonlyArray<Result>>
}

export interface Suite {
  /** Whether it is measured beside the products of `bench/peers`. */
  readonly hasPeers?: boolean
  readonly benches: ReadonlyArray<Bench>
}
