import type { Runner, Troupe } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { confirmed, yesFlag } from "../../app/confirm.ts"
import { exitCodes } from "../../app/exitCodes.ts"
import { printOne } from "../../app/output.ts"
import { Trouble } from "../../app/Trouble.ts"
import { connect } from "../../connection/Connection.ts"
import { ourName } from "../../app/NameConfig.ts"

/** The one with this id, or the one that is called so: several may be, and none of them is taken for another. */
const find = async ({ runners }: Troupe, given: string): Promise<Runner> => {
  const found: Array<Runner> = []
  for await (const runner of runners.list({ limit: 100 })) {
    if (runner.status !== "revoked" && (runner.id === given || runner.name === given)) found.push(runner)
  }
  const [runner] = found
  if (runner !== undefined && found.length === 1) return runner
  const what = runner === undefined ? `There is no runner ${given}.` : `${found.length} runners are called ${given}.`
  throw new Trouble({ what, advice: `${ourName} runners list shows their ids.`, code: exitCodes.refused })
}

export const revoke = Command.make(
  "revoke",
  { runner: Argument.String("runner"), yes: yesFlag },
  Effect.fnUntraced(function* ({ runner, yes }) {
    const { ask } = yield* connect()
    const { id, name, token_id } = yield* ask((troupe) => find(troupe, runner))
    if (!(yield* confirmed(yes, `Revoke the runner ${name}, for good?`))) return
    yield* ask(({ tokens }) => tokens.revoke(token_id))
    yield* printOne({ id, type: "runner_revoked" }, () => `${name} is cut off within five seconds.`)
  })
).pipe(Command.withDescription("Cuts a runner off, by its id or its name"))
