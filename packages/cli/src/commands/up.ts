import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { Json } from "../app/globals.ts"
import { leaveWith, print } from "../app/output.ts"
import { exitCodes } from "../app/exitCodes.ts"
import { config } from "../connection/Connection.ts"
import { inBackground } from "../up/background.ts"
import { troubleOf, troubleOfStart } from "../up/failures.ts"
import { foreground, isFirst, readyJson, readyText } from "../up/foreground.ts"
import { holderOf } from "../up/Home.ts"
import { ourName } from "../app/NameConfig.ts"

const detached = Effect.fnUntraced(function* (isLan: boolean) {
  const given = yield* config
  const holder = holderOf(given.home)
  if (holder !== null) {
    return yield* troubleOfStart(
      "HomeLocked",
      `Troupe runs already in ${given.home}: process ${holder.pid}${holder.url === undefined ? "" : `, at ${holder.url}`}.`,
      `Stop it with \`${ourName} stop\`, or set TROUPE_HOME to another directory.`
    )
  }
  const makesKey = isFirst(given)
  const url = yield* inBackground(given, isLan)
  if (yield* Json) return yield* print(yield* readyJson(given, url))
  yield* print(
    `${yield* readyText(given, { url, inMs: null, isFirst: makesKey })}\nIt runs in the background; ${ourName} stop ends it.`
  )
})

/** Runs the all-in-one in front of the terminal, or starts it in the background. */
export const up = Command.make(
  "up",
  {
    detach: Flag.Boolean("detach").pipe(
      Flag.withAlias("d"),
      Flag.withDefault(false),
      Flag.withDescription(`In the background; ${ourName} status and ${ourName} stop are for what runs there`)
    ),
    lan: Flag.Boolean("lan").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Listens in the local network, and shows a link and a QR code that let one browser in")
    )
  },
  ({ detach, lan }) => (detach ? detached(lan) : Effect.flatMap(Effect.mapError(foreground(lan), troubleOf), leaveWith))
).pipe(
  Command.withShortDescription("Runs all of Troupe here: database, node and runner"),
  Command.withDescription(
    "Runs all of Troupe: a database (unless DATABASE_URL names one), a node and a runner, until Ctrl-C. Exit codes: 1 a part " +
      "did not start, 2 the configuration can't be used, 3 it runs already, 4 the home can't be used, 5 the port is taken, " +
      `${exitCodes.interrupted} ended at once.`
  )
)
