import type { Turn } from "@troupe/client"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { limitFlag } from "../app/listCommand.ts"
import { printList, printOne } from "../app/output.ts"
import { connect, take } from "../connection/Connection.ts"
import { sessionArgument, sessionId } from "../session/sessionId.ts"

const textOf = ({ content }: Turn): string =>
  content.flatMap((block) => (typeof block["text"] === "string" ? [block["text"]] : [])).join(" ")

const list = Command.make(
  "list",
  { session: sessionArgument, limit: limitFlag },
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

const turn = Argument.String("turn")

const action = (name: "steer" | "withdraw" | "approve" | "retry", about: string, says: string) =>
  Command.make(
    name,
    { session: sessionArgument, turn },
    Effect.fnUntraced(function* ({ session, turn }) {
      const connection = yield* connect()
      const id = yield* sessionId(connection, session)
      const queue = yield* connection.ask(({ sessions }) => sessions.turns[name](id, turn))
      yield* printOne(queue, () => `${turn} ${says}.`)
    })
  ).pipe(Command.withDescription(about))

export const turns = Command.make("turns").pipe(
  Command.withDescription("What was asked of a session"),
  Command.withSubcommands([
    list,
    action("steer", "Has a turn that waits join the one that runs", "joins the turn that runs"),
    action("withdraw", "Takes a turn back that waits", "is taken back"),
    action("approve", "Lets a turn begin that waits for approval", "may begin"),
    action("retry", "Tries a turn again that failed", "is tried again")
  ])
)
