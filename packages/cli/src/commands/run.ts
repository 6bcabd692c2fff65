import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { Json } from "../app/globals.ts"
import { leaveWith, print } from "../app/output.ts"
import { findMentioned } from "../attachments/findMentioned.ts"
import { withAttachments } from "../attachments/withAttachments.ts"
import { exitCodes } from "../app/exitCodes.ts"
import { isIsolated } from "../connection/ConnectionConfig.ts"
import { connectOrStart } from "../connection/startIfNeeded.ts"
import { failureAdvice } from "../session/failureAdvice.ts"
import { follow } from "../session/follow.ts"
import { besidesArgument, messageArgument, messageOf } from "../session/message.ts"
import { outcomeJson } from "../session/outcomeJson.ts"
import { begin } from "../session/begin.ts"
import { inputLine } from "../session/toolLine.ts"
import { type Outcome, Transcript } from "../session/Transcript.ts"
import { wantedFlags } from "../session/wantedFlags.ts"
import { clean } from "../terminal/clean.ts"
import { tellChanges } from "../workingcopy/tellChanges.ts"
import { ourName } from "../app/NameConfig.ts"

const codes: Readonly<Record<Outcome["_tag"] | "Interrupted", number>> = {
  Completed: 0,
  Failed: exitCodes.failed,
  Waits: exitCodes.waits,
  BudgetReached: exitCodes.budget,
  Interrupted: exitCodes.interrupted
}

const say = (text: string) => void process.stderr.write(`${clean(text)}\n`)

export const run = Command.make(
  "run",
  { message: messageArgument, besides: besidesArgument, ...wantedFlags },
  Effect.fnUntraced(function* ({ besides, message, ...flags }) {
    const isJson = yield* Json
    const prompt = yield* messageOf(message, Option.isSome(besides))
    const files = yield* findMentioned(message)
    const { connection, given } = yield* connectOrStart
    const isTrusted = flags.yes || !connection.server.isOurs || isIsolated(given)
    const session = yield* connection.ask((troupe) => begin(troupe, flags, { isTrusted, message: prompt, say }))
    const transcript = new Transcript({
      text: (piece) => void (isJson || process.stdout.write(process.stdout.isTTY ? clean(piece) : piece)),
      tool: ({ input, name }) => say(`· ${name} ${inputLine(input)}`)
    })
    const outcome = yield* connection.ask(async (troupe) => {
      const content = await withAttachments(troupe, prompt, files, say)
      return await follow(troupe.session(session), content, transcript, say)
    })
    if (transcript.error !== null) say(failureAdvice(transcript))
    if (outcome === "Waits") {
      say(`Session ${session} waits for somebody. Answer it: ${ourName} attach ${session}`)
      if (!isTrusted) say("Nothing isolates tools on this host, so each asks first: --yes says that it need not.")
    }
    if (flags.cwd) yield* connection.ask((troupe) => tellChanges(troupe, session, say))
    if (isJson) {
      const { error, text } = transcript
      yield* print(outcomeJson({ session, outcome, text, error }))
    }
    yield* leaveWith(codes[outcome])
  })
).pipe(
  Command.withShortDescription("Has an agent do one thing, and prints what it says"),
  Command.withDescription(
    "Has an agent do one thing, in a session of its own, and prints what it says. Troupe is started in the background where it " +
      "does not run. With --json, one object comes at the end: session, outcome, text, error. Exit codes: 0 done, 1 it failed, " +
      "2 the command line is wrong, 3 no server, 4 the server refuses it, 5 it waits for somebody, 6 its budget is used up, " +
      "130 interrupted."
  ),
  Command.withExamples([
    { command: `${ourName} run "run: uname -a"`, description: "The demo model runs a command" },
    {
      command: `${ourName} run "What is wrong here? @screenshot.png"`,
      description: "A picture, a PDF or a text goes along with the message"
    },
    {
      command: `git diff | ${ourName} run "Review this:" -`,
      description: "What comes through the pipe is below the message"
    }
  ])
)
