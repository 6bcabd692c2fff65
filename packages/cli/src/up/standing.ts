import type { Abilities } from "@troupe/domain/runner/Hello"
import { Effect } from "effect"
import { abilitiesOf } from "./Abilities.ts"
import { type Holder, holderOf } from "./Home.ts"
import { type ProcessRecord, recordOf } from "./Program.ts"
import { type Readiness, readiness } from "./Readiness.ts"
import type { UpConfig } from "./UpConfig.ts"
import { ourName, startWords } from "../app/NameConfig.ts"

/** What runs in a home, as far as can be seen from beside it. */
export interface Standing {
  readonly home: string
  /** Null: nobody keeps anything running here. */
  readonly supervisor: Holder | null
  readonly node: ProcessRecord | null
  readonly runner: ProcessRecord | null
  readonly url: string | null
  readonly readiness: Readiness
  /** As the runner said last, running or not. */
  readonly abilities: Abilities | null
}

export const standing = Effect.fnUntraced(function* ({ home, runnerState }: UpConfig) {
  const supervisor = holderOf(home)
  const node = recordOf(home, "node")
  const url = supervisor?.url ?? node?.url ?? null
  return {
    home,
    supervisor,
    node,
    runner: recordOf(home, "runner"),
    url,
    readiness: url === null ? { _tag: "Silent" } : yield* readiness(url),
    abilities: abilitiesOf(runnerState)
  } satisfies Standing as Standing
})

/** What keeps it from being used, in words; null when it can be. */
export const lacking = ({ node, readiness: found, runner, supervisor }: Standing): string | null => {
  if (supervisor === null && node === null && runner === null) return `nothing runs here: start it with ${startWords}`
  if (supervisor === null)
    return `what keeps it running has died: start it again with ${startWords}, which takes over what runs`
  if (found._tag === "Ready") return null
  if (found._tag === "Silent") return "the node does not answer; see logs/node.log in the home"
  return (
    {
      database: "the database does not answer; see logs/postgres.log in the home",
      runner: `no runner can be used; see logs/runner.log in the home, or ask ${ourName} doctor`,
      membership: "the node has not joined its cluster yet",
      draining: "the node is stopping"
    }[found.reason] ?? `the node is not ready: ${found.reason}`
  )
}
