import { Command } from "effect/cli"
import { diff } from "./replay/diff.ts"
import { exported } from "./replay/export.ts"
import { redact } from "./replay/redact.ts"
import { request } from "./replay/request.ts"
import { show } from "./replay/show.ts"
import { state } from "./replay/state.ts"
import { verify } from "./replay/verify.ts"
import { why } from "./replay/why.ts"

export const replay = Command.make("replay").pipe(
  Command.withDescription("What a session was at any place of its log, why, and whether that is so"),
  Command.withSubcommands([show, state, diff, why, verify, exported, redact, request])
)
