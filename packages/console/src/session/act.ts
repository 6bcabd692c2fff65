import { listQueues, sendEvents, steerTurn } from "../api/resources.ts"
import { contentOf, type Attached } from "./attachments.logic.ts"
import { asTheAgent, type Choice, extrasOf } from "./choice.logic.ts"

interface Sent {
  readonly data: ReadonlyArray<{ readonly id: string }>
}

export const say = async (
  sessionId: string,
  text: string,
  files: ReadonlyArray<Attached> = [],
  choice: Choice = asTheAgent
): Promise<Sent> =>
  (await sendEvents(sessionId, [
    { type: "user.message", content: contentOf(text, files), ...extrasOf(choice) }
  ])) as Sent

/** Says it to the turn that runs, not behind it. Where that has ended meanwhile, it is a turn of its own. */
export const steer = async (sessionId: string, text: string, files: ReadonlyArray<Attached>): Promise<void> => {
  const [message] = (await say(sessionId, text, files)).data
  const waits = (await listQueues(sessionId))
    .flatMap(({ data }) => data)
    .find(({ event_id }) => event_id === message?.id)
  if (waits !== undefined) await steerTurn(sessionId, waits.id)
}

export const interrupt = (sessionId: string) => sendEvents(sessionId, [{ type: "user.interrupt" }])
