import { Effect } from "effect"
import { Command } from "effect/cli"
import { mentionedIn, withAttachments } from "../../attachments/withAttachments.ts"
import { printOne } from "../../app/output.ts"
import { connect } from "../../connection/Connection.ts"
import { messageArgument, messageOf } from "../../session/message.ts"
import { sessionArgument, sessionId } from "../../session/sessionId.ts"
import { ourName } from "../../app/NameConfig.ts"

const say = (line: string) => void process.stderr.write(`${line}\n`)

export const send = Command.make(
  "send",
  { session: sessionArgument, message: messageArgument },
  Effect.fnUntraced(function* ({ message, session }) {
    const text = yield* messageOf(message)
    const connection = yield* connect()
    const id = yield* sessionId(connection, session)
    const sent = yield* connection.ask(async (troupe) => {
      const content = await withAttachments(troupe, text, mentionedIn(message), say)
      return await troupe.session(id).send(content)
    })
    yield* printOne(sent, () => `Sent to ${id}. Follow it: ${ourName} attach ${id}`)
  })
).pipe(Command.withDescription("Says something to a session, and does not wait for what comes of it"))
