import { Effect } from "effect"
import { startInBackground } from "../up/background.ts"
import { foreground } from "../up/foreground.ts"
import { parse } from "./arguments.ts"

const usage = `troupe up [-d]

  Runs all of Troupe: a database (unless DATABASE_URL names one), a node and a runner, until Ctrl-C.

  -d, --detach   in the background; troupe status and troupe stop are for what runs there

  Exit codes: 1 a part did not start, 2 the configuration can't be used, 3 it runs already, 4 the home can't be used,
  5 the port is taken.
`

/** Runs the all-in-one in front of the terminal, or starts it in the background. */
export const up = async (args: ReadonlyArray<string>): Promise<number> => {
  const values = parse(args, { detach: { type: "boolean", short: "d", default: false } }, usage)
  if (typeof values === "number") return values
  return await Effect.runPromise(values.detach === true ? startInBackground : foreground)
}
