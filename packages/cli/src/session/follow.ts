import type { MessageContent, SessionHandle } from "@troupe/client"
import { exitCodes } from "../app/exitCodes.ts"
import { followHindrances } from "./hindrances.ts"
import type { Outcome, Transcript } from "./Transcript.ts"

/** The first Ctrl-C ends the turn, as anybody may; the second ends this command. */
const interruptible = (session: SessionHandle, say: (text: string) => void) => {
  let isAsked = false
  const onInterrupt = () => {
    if (isAsked) process.exit(exitCodes.interrupted)
    isAsked = true
    say("Interrupting …")
    session.interrupt().catch((cause: unknown) => {
      say(String(cause))
      process.exit(exitCodes.interrupted)
    })
  }
  process.on("SIGINT", onInterrupt)
  return {
    wasAsked: () => isAsked,
    [Symbol.dispose]: () => void process.off("SIGINT", onInterrupt)
  }
}

/** Says something to a session, and follows it until that is done, whatever ends and comes back meanwhile. */
export const follow = async (
  session: SessionHandle,
  message: MessageContent,
  transcript: Transcript,
  say: (text: string) => void
): Promise<Outcome["_tag"] | "Interrupted"> => {
  await using events = await session.stream({ deltas: true })
  await session.send(message)
  using interrupts = interruptible(session, say)
  using _ = followHindrances(session, (hindrance) => hindrance !== null && say(hindrance))
  for await (const event of events) {
    const outcome = transcript.take(event)
    if (outcome !== null) return interrupts.wasAsked() ? "Interrupted" : outcome._tag
  }
  return "Failed"
}
