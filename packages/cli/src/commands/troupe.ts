import { Argument, Command } from "effect/cli"
import { Effect } from "effect"
import { globals } from "../app/globals.ts"
import { leaveWith } from "../app/output.ts"
import { agents } from "./agents.ts"
import { approvals } from "./approvals.ts"
import { environments } from "./environments.ts"
import { files } from "./files.ts"
import { keys } from "./keys.ts"
import { mcp } from "./mcp.ts"
import { models } from "./models.ts"
import { policies } from "./policies.ts"
import { replay } from "./replay.ts"
import { runners } from "./runners.ts"
import { turns } from "./turns.ts"
import { usage } from "./usage.ts"
import { attach } from "./attach.ts"
import { chat } from "./chat.ts"
import { contexts } from "./contexts.ts"
import { doctor } from "./doctor.ts"
import { run } from "./run.ts"
import { startRunner } from "./runner.ts"
import { sessions } from "./sessions.ts"
import { status } from "./status.ts"
import { stop } from "./stop.ts"
import { up } from "./up.ts"
import { ourName } from "../app/NameConfig.ts"

/** Here for help and completions: what it is told is the runner's own affair, so it is passed on before this is read. */
const runner = Command.make("runner", { given: Argument.String("argument").pipe(Argument.variadic()) }, ({ given }) =>
  Effect.flatMap(
    Effect.promise(() => startRunner(given)),
    leaveWith
  )
).pipe(
  Command.withDescription(`Runs sessions' attempts on this host: ${ourName} runner --server URL --token-file FILE`)
)

export const troupe = Command.make("troupe").pipe(
  Command.withDescription("The open runtime for agents."),
  Command.withSubcommands([
    { group: "Work", commands: [run, chat, attach, sessions, turns, approvals, replay, files] },
    { group: "Workspace", commands: [agents, environments, models, mcp, policies, runners, keys, usage] },
    { group: "This host", commands: [up, status, stop, doctor, runner] },
    { group: "Servers", commands: [contexts] }
  ]),
  Command.withGlobalFlags(globals)
)
