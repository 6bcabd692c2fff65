import { type AgentId, CommandId, SessionId, ThreadId, type WorkspaceId } from "@troupe/domain/Ids"
import { genesis } from "@troupe/domain/log/Chain"
import { codec } from "@troupe/domain/session/Codec"
import type { Input } from "@troupe/domain/session/Input"
import { initial } from "@troupe/domain/session/SessionState"
import * as Summary from "@troupe/domain/session/Summary"
import { Effect } from "effect"
import { plainOpen } from "../../../../test/support/opening.ts"
import { EventStore } from "../../src/log/EventStore.ts"
import { planBatch } from "../../src/session/planBatch.ts"
import { minting, newId, sha256 } from "./LogWriter.ts"

/** Writes the beginning of a session into the log, as an owner would who is gone by now. */
export const writeSession = Effect.fnUntraced(function* (
  workspaceId: WorkspaceId,
  agentId: AgentId,
  inputs: ReadonlyArray<Input> = []
) {
  const store = yield* EventStore
  const sessionId = SessionId.make(newId("Session"))
  const { epoch } = yield* store.create({ stream: "session", streamId: sessionId, workspaceId, shard: 1 })
  const at = Date.now()
  const command = {
    commandId: CommandId.make(newId("Command")),
    at,
    actor: { type: "system" as const },
    correlationId: minting.salt(),
    body: { ...plainOpen({ sessionId, workspaceId, threadId: ThreadId.make(newId("Thread")), agentId }), inputs }
  }
  const from = { state: initial, version: 0, chain: genesis, lastRecordedAt: 0 }
  const context = {
    sessionId,
    epoch,
    nowMicros: at * 1_000,
    sha256,
    minting,
    codec,
    format: codec.format,
    takenInputs: new Set<string>()
  }
  const { events, standing } = planBatch(from, [{ command, digest: null }], context)
  if (standing.state._tag !== "Open") throw new Error("it was not opened")
  yield* store.append({
    ...{ stream: "session", streamId: sessionId, workspaceId, epoch, expectedVersion: 0, events },
    ...{ rejections: [], inputIds: [], wakeAt: null, summary: Summary.summarize(standing.state, at) }
  })
  return sessionId
})
