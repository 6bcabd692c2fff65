/** The whole command path in process: decode the command, decide, append, answer. */
// As the server does: schemas that are made later are compiled.
import "effect/schema/SchemaJITCompiler/enable"
import * as Codec from "@troupe/domain/session/Codec"
import type { SessionId } from "@troupe/domain/Ids"
import { Command } from "@troupe/domain/session/SessionCommand"
import { EventStore } from "@troupe/server/log/EventStore"
import type { SessionActor } from "@troupe/server/session/SessionActor"
import * as SessionEntity from "@troupe/server/session/SessionEntity"
import { Sessions } from "@troupe/server/session/Sessions"
import { Effect, Layer, ManagedRuntime, Result, Schema, Scope } from "effect"
import { closedLoop } from "../../harness/closedLoop.ts"
import { serve } from "../../harness/serve.ts"
import { messageOf, mint, openOf } from "./commands.ts"
import { sessionsPerSlot } from "./rows.ts"
import { actorOf, layerCluster, layerSession, layerStore, sha256 } from "./services.ts"

const idleMs = Number(process.env.IDLE_MS ?? 60_000)
const entities = Sessions.layer().pipe(
  Layer.provideMerge(SessionEntity.layer({ sha256, idleMs, lostAfterMs: 75_000 })),
  Layer.provideMerge(layerCluster)
)
const runtime = ManagedRuntime.make(entities.pipe(Layer.provideMerge(Layer.merge(layerSession, layerStore))))
const { clientFor, node, scope, store } = await runtime.runPromise(
  Effect.gen(function* () {
    const clientFor = yield* SessionEntity.SessionEntity.client
    return { clientFor, node: yield* Sessions, scope: yield* Scope.make(), store: yield* EventStore }
  })
)

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Command))
/** As it arrives: JSON text, made outside of what is measured only where a client would be elsewhere. */
const command = (value: object) => decode(JSON.stringify(value))

const actors = new Map<string, Promise<SessionActor>>()
const direct = (key: string) => {
  const known = actors.get(key)
  if (known !== undefined) return known
  const sessionId = mint("Session")
  const opened = runtime.runPromise(
    Effect.gen(function* () {
      const actor = yield* Effect.provideService(actorOf(sessionId), Scope.Scope, scope)
      yield* actor.handle(command(openOf(sessionId)))
      return actor
    })
  )
  actors.set(key, opened)
  return opened
}

const sessions = new Map<string, Promise<string>>()
const viaEntity = (key: string, note = "") => {
  const known = sessions.get(key)
  if (known !== undefined) return known
  const sessionId = mint("Session")
  const opened = runtime
    .runPromise(clientFor(sessionId).Handle({ command: command(openOf(sessionId, note)) }))
    .then(() => sessionId)
  sessions.set(key, opened)
  return opened
}

const sendToEntity = (sessionId: string, mark: string) =>
  runtime.runPromise(clientFor(sessionId).Handle({ command: command(messageOf(mark)) }))

interface Load {
  readonly inFlight: number
  readonly ms: number
}

const key = (slot: number, turn: number) => `${slot}-${turn % sessionsPerSlot}`

/** Many clients on one session, and whether the log holds what they were told, where and in the order they were told. */
const oneSession = async ({ inFlight, ms }: Load) => {
  const sessionId = await viaEntity(`one-${mint("Event")}`)
  const told = new Map<number, string>()
  const load = await closedLoop(inFlight, ms, async (slot, turn) => {
    const mark = `${slot}.${turn}`
    const { seq } = await sendToEntity(sessionId, mark)
    told.set(seq, mark)
  })
  const last = new Map<string, number>()
  let read = 0
  let wrong = 0
  for (let after = 0; ;) {
    const page = await runtime.runPromise(store.read(sessionId, { after, limit: 2_000 }))
    if (page.length === 0) break
    for (const recorded of page) {
      if (recorded.seq !== ++after) wrong++
      const event = Result.getOrThrow(Codec.decodeFast(recorded))
      if (event._tag !== "SystemMessageReceived") continue
      read++
      const block = event.content[0]
      const mark = block?.type === "text" ? block.text.split(" ", 1)[0]! : ""
      const [slot, turn] = mark.split(".") as [string, string]
      if (told.get(recorded.seq) !== mark || Number(turn) !== (last.get(slot) ?? -1) + 1) wrong++
      last.set(slot, Number(turn))
    }
  }
  return { ...load, orderKept: wrong === 0 && read === load.count }
}

const heapNow = () => {
  for (let i = 0; i < 4; i++) globalThis.gc!()
  return process.memoryUsage().heapUsed
}

serve(
  {
    direct: ({ inFlight, ms }: Load) =>
      closedLoop(inFlight, ms, async (slot, turn) => {
        const actor = await direct(key(slot, turn))
        await runtime.runPromise(actor.handle(command(messageOf(key(slot, turn)))))
      }),
    entity: ({ inFlight, ms }: Load) =>
      closedLoop(inFlight, ms, async (slot, turn) => sendToEntity(await viaEntity(key(slot, turn)), key(slot, turn))),
    /** As the server's own doors do it. */
    sessions: ({ inFlight, ms }: Load) =>
      closedLoop(inFlight, ms, async (slot, turn) => {
        const sessionId = (await viaEntity(key(slot, turn))) as SessionId
        await runtime.runPromise(node.handle(sessionId, command(messageOf(key(slot, turn)))))
      }),
    oneSession,
    /** Opens so many sessions and leaves them resident; says how large what one folds to is as JSON. */
    reside: async ({ count, note }: { count: number; note: string }) => {
      for (let left = count; left > 0; left -= 50) {
        await Promise.all(Array.from({ length: Math.min(50, left) }, () => viaEntity(mint("Event"), note)))
      }
      const some = await sessions.values().next().value
      sessions.clear()
      const { state } = await runtime.runPromise(clientFor(some!).Current())
      return JSON.stringify(state).length
    },
    heap: heapNow
  },
  async () => {
    await runtime.runPromise(Scope.close(scope, { _tag: "Success", value: undefined } as never))
    await runtime.dispose()
  }
)
