import { Command } from "effect/cli"
import { archive } from "./sessions/archive.ts"
import { changes } from "./sessions/changes.ts"
import { remove } from "./sessions/delete.ts"
import { download } from "./sessions/download.ts"
import { fork } from "./sessions/fork.ts"
import { list } from "./sessions/list.ts"
import { log } from "./sessions/log.ts"
import { send } from "./sessions/send.ts"
import { show } from "./sessions/show.ts"
import { stop } from "./sessions/stop.ts"

export const sessions = Command.make("sessions").pipe(
  Command.withDescription("Sessions: what there is, what happened in one, and what is to happen"),
  Command.withSubcommands([list, show, log, changes, download, send, stop, fork, archive, remove])
)
