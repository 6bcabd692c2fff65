import {
  fromTime,
  prefixes,
  type AgentId,
  type IdKind,
  type SessionId,
  type ThreadId,
  type WorkspaceId
} from "@troupe/domain/Ids"
import { plainOpen } from "../../../test/support/opening.ts"
import { randomFillSync } from "node:crypto"
import { textOf } from "../../harness/payload.ts"

const pool = Buffer.alloc(8_192)
let at = pool.length

export const mint = (kind: IdKind): string => {
  if (at + 10 > pool.length) {
    randomFillSync(pool)
    at = 0
  }
  at += 10
  return fromTime(prefixes[kind], Date.now(), pool.subarray(at - 10, at))
}

export const envelope = (body: object) => ({
  commandId: mint("Command"),
  at: Date.now(),
  actor: { type: "api_key", id: "apikey_0123456789abcdef" },
  correlationId: "0123456789abcdef0123456789abcdef",
  body
})

const workspaceId = mint("Workspace") as WorkspaceId
const agentId = mint("Agent") as AgentId

/** Opens a session as an API client does; `note` adds to the size of what it folds to. */
export const openOf = (sessionId: string, note = "") =>
  envelope({
    ...plainOpen({ sessionId: sessionId as SessionId, workspaceId, threadId: mint("Thread") as ThreadId, agentId }),
    metadata: { note },
    createdBy: "bench"
  })

/** Of a `SystemMessageReceived` without its text: what the text adds to makes 420 bytes of payload. */
const payloadWithoutText = 161

/** A command that leads to exactly one event of 420 bytes of payload: a message that starts no turn. */
export const messageOf = (mark: string) =>
  envelope({
    _tag: "Send",
    inputs: [
      {
        _tag: "SystemMessage",
        inputId: mint("Event"),
        content: [{ type: "text", text: `${mark} ${textOf(420 - payloadWithoutText - mark.length - 1)}` }]
      }
    ]
  })
