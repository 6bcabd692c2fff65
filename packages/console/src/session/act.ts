import type { SessionEvent } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { type Attached, contentOf } from "./attachments.logic.ts"
import { asTheAgent, type Choice, extrasOf } from "./choice.logic.ts"

export const say = async (
  sessionId: string,
  text: string,
  files: ReadonlyArray<Attached> = [],
  choice: Choice = asTheAgent
): Promise<SessionEvent | undefined> => {
  const message = { type: "user.message", content: contentOf(text, files), ...extrasOf(choice) } as const
  return (await troupe.sessions.events.send(sessionId, [message]))[0]
}

/** Says it to the turn that runs, not behind it. Where that has ended meanwhile, it is a turn of its own. */
export const steer = async (sessionId: string, text: string, files: ReadonlyArray<Attached>): Promise<void> => {
  const message = await say(sessionId, text, files)
  const queues = await troupe.sessions.turns.queues(sessionId)
  const waits = queues.flatMap(({ data }) => data).find(({ event_id }) => event_id === message?.id)
  if (waits !== undefined) await troupe.sessions.turns.steer(sessionId, waits.id)
}

export const interrupt = (sessionId: string) => troupe.session(sessionId).interrupt()
