import type { SessionCause } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

const by = {
  call: "the call",
  request: "the model's answer",
  attempt: "the attempt",
  turn: "the turn",
  input: "what was said"
} as const

const inWords = ({ causes, command, event_type, seq }: SessionCause) =>
  [
    `${seq} ${event_type}, by command ${command.command_id} (events ${command.seqs.join(", ")})`,
    `   asked by ${JSON.stringify(command.actor)}`,
    ...causes.map((cause) => `   from ${cause.seq} ${cause.event_type}: ${by[cause.by]}`)
  ].join("\n")

export const why = Command.make(
  "why",
  { session: sessionArgument, seq: Argument.Int("seq") },
  Effect.fnUntraced(function* ({ seq, session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    yield* printOne(yield* connection.ask(({ sessions }) => sessions.replay.why(id, seq)), inWords)
  })
).pipe(Command.withDescription("Says what led to an event, the nearest cause first"))
