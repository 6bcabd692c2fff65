import type { Turn } from "@troupe/client"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { limitOf } from "../../app/listCommand.ts"
import { printList } from "../../app/output.ts"
import { connect, take } from "../../connection/Connection.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"

const textOf = ({ content }: Turn): string =>
  content.flatMap((block) => (typeof block["text"] === "string" ? [block["text"]] : [])).join(" ")

export const list = Command.make(
  "list",
  { session: sessionArgument, limit: limitOf(100) },
  Effect.fnUntraced(function* ({ limit, session }) {
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const waiting = yield* connection.ask(({ sessions }) => sessions.turns.queues(id))
    const begun = yield* connection.ask(({ sessions }) => take(sessions.turns.list(id), limit))
    yield* printList([...waiting.flatMap(({ data }) => data), ...begun], {
      headings: ["TURN", "STATUS", "FROM", "TO", "ENDED BY", "MESSAGE"],
      row: (turn) => [turn.id, turn.status, turn.started_seq, turn.ended_seq, turn.stop_reason, textOf(turn)],
      none: "Nothing was asked of this session yet."
    })
  })
).pipe(Command.withDescription("Lists what waits in a session, then what has begun, the last one first"))
