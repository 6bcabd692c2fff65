/** The event store alone, with all its duties: version, epoch, receipt, chain, indexes, `wake_at`. */
// As the server does: schemas that are made later are compiled.
import "effect/schema/SchemaJITCompiler/enable"
import type { CommandId, EventId, WorkspaceId } from "@troupe/domain/Ids"
import * as Chain from "@troupe/domain/log/Chain"
import { EventStore, type Append, type Head } from "@troupe/server/log/EventStore"
import { Minting } from "@troupe/server/log/Minting"
import { Effect, Layer, ManagedRuntime } from "effect"
import { closedLoop } from "../../harness/closedLoop.ts"
import { payloadOf } from "../../harness/payload.ts"
import { serve } from "../../harness/serve.ts"
import { mint } from "./commands.ts"
import { sessionsPerSlot } from "./rows.ts"
import { layerStore, sha256 } from "./services.ts"

const runtime = ManagedRuntime.make(Layer.merge(layerStore, Minting.layer))
const { minting, store } = await runtime.runPromise(
  Effect.gen(function* () {
    return { store: yield* EventStore, minting: yield* Minting }
  })
)

interface Stream extends Pick<Head, "version" | "epoch" | "chain"> {
  readonly id: string
}

const workspaceId = mint("Workspace") as WorkspaceId
const actorText = JSON.stringify({ type: "api_key", id: "apikey_0123456789abcdef" })
const streams = new Map<string, Stream>()

const open = async (): Promise<Stream> => {
  const id = mint("Session")
  const head = await runtime.runPromise(store.create({ stream: "session", streamId: id, workspaceId, shard: 1 }))
  return { id, version: head.version, epoch: head.epoch, chain: head.chain }
}

const build = (stream: Stream, mark: string): Append => {
  const payload = payloadOf(mark)
  const commandId = mint("Command") as CommandId
  const at = Date.now()
  const fields = {
    stream: "session" as const,
    streamId: stream.id,
    workspaceId,
    seq: stream.version + 1,
    eventId: minting.id("Event", at) as EventId,
    type: "SystemMessageReceived",
    version: 1,
    actorText,
    causationId: commandId,
    correlationId: "0123456789abcdef0123456789abcdef",
    threadId: null,
    epoch: stream.epoch,
    recordedAt: at * 1_000
  }
  const salt = minting.salt()
  const commitment = Chain.commit(sha256, salt, payload)
  const chain = Chain.link(sha256, stream.chain, fields, commitment)
  const body = JSON.stringify({ at, body: { _tag: "Send", inputs: [{ $event: 0, $field: "content" }] } })
  return {
    stream: "session",
    streamId: stream.id,
    workspaceId,
    epoch: stream.epoch,
    expectedVersion: stream.version,
    events: [{ ...fields, salt, commitment, chain, payload, mark: { commandId, digest: sha256(payload), body } }],
    rejections: [],
    inputIds: [],
    wakeAt: null,
    summary: null
  }
}

const append = async (key: string) => {
  const stream = streams.get(key) ?? (await open())
  const next = build(stream, key)
  await runtime.runPromise(store.append(next))
  streams.set(key, { ...stream, version: stream.version + 1, chain: next.events[0]!.chain })
}

serve(
  {
    append: ({ inFlight, ms }: { inFlight: number; ms: number }) =>
      closedLoop(inFlight, ms, (slot, turn) => append(`${slot}-${turn % sessionsPerSlot}`)),
    /** Writes so many events in all, over so many sessions. */
    fill: async ({ events, inFlight, sessions }: { events: number; inFlight: number; sessions: number }) => {
      const perSession = events / sessions
      let next = 0
      const slot = async () => {
        while (next < sessions) {
          const session = next++
          for (let event = 0; event < perSession; event++) await append(`fill-${session}`)
          streams.delete(`fill-${session}`)
        }
      }
      await Promise.all(Array.from({ length: inFlight }, slot))
    }
  },
  () => runtime.dispose()
)
