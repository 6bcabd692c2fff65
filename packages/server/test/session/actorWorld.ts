import type { CommandId, EventId, SessionId, TurnId } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import type { Input } from "@troupe/domain/session/Input"
import type { Command, SessionCommand } from "@troupe/domain/session/SessionCommand"
import { Effect, Exit, Layer, Scope } from "effect"
import { hash } from "node:crypto"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStoreMemory from "../../src/log/EventStoreMemory.ts"
import { Minting } from "../../src/log/Minting.ts"
import type { Activation } from "../../src/session/activate.ts"
import { Feeds, type Fed } from "../../src/session/Feeds.ts"
import * as SessionActor from "../../src/session/SessionActor.ts"
import { commandOf, openCommand } from "../support/CommandGenerator.ts"
import * as HeldStore from "../support/HeldStore.ts"
import { mintId, prng } from "../../../../test/support/Prng.ts"

export const sha256 = (value: string) => hash("sha256", value, "hex")

type ActorOptions = Partial<Pick<SessionActor.SessionActorOptions, "commandBytesMax" | "mailboxMax">>

/** One session on a store in memory, and actors for it, with a view of all that leaves them. */
export const make = Effect.gen(function* () {
  const random = prng(1)
  const sessionId = mintId(random, "Session") as SessionId
  const memory = yield* EventStoreMemory.make
  const held = HeldStore.wrap(memory)
  const published: Array<Fed> = []
  const reacted: Array<Activation> = []
  const lost: Array<true> = []
  const services = Layer.mergeAll(
    Layer.succeed(EventStore, held.store),
    Layer.succeed(Minting, Minting.make(random.bytes)),
    Layer.succeed(
      Feeds,
      Feeds.of({ id: "here", publish: (_, fed) => void published.push(fed), listen: () => Effect.never })
    )
  )

  const actor = Effect.fnUntraced(function* (options: ActorOptions = {}) {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const made = yield* SessionActor.make({
      sessionId,
      shard: 1,
      sha256,
      react: (activation) => void reacted.push(activation),
      stop: () => void lost.push(true),
      ...options
    }).pipe(Effect.provide(services), Effect.provideService(Scope.Scope, scope))
    return {
      handle: (one: Command) => made.handle(one),
      current: Effect.suspend(() => made.current),
      wake: Effect.suspend(() => made.wake),
      isActive: () => made.isActive(),
      overtaken: () => made.overtaken(),
      close: Scope.close(scope, Exit.void)
    }
  })

  const command = (body: SessionCommand): Command => commandOf(random, 0, body)

  const message = (): Input => ({
    _tag: "Message",
    inputId: mintId(random, "Event") as EventId,
    turnId: mintId(random, "Turn") as TurnId,
    threadId: null,
    content: text("hello"),
    mode: "queue",
    overrides: {},
    needsApproval: false
  })

  const events = Effect.map(memory.read(sessionId, { after: 0, limit: 10_000 }), (list) => list.map((one) => one.type))

  return {
    sessionId,
    memory,
    held,
    published,
    reacted,
    lost,
    actor,
    command,
    events,
    open: (externalThreadKey: string | null = null): Command =>
      command({ ...openCommand(random, sessionId), budget: [], inputs: [], history: [], externalThreadKey } as never),
    send: (...inputs: ReadonlyArray<Input>): Command =>
      command({ _tag: "Send", inputs: inputs.length === 0 ? [message()] : inputs }),
    title: (title: string): Command => command({ _tag: "Update", title }),
    pause: (): Command => command({ _tag: "Pause" }),
    message,
    /** The same id with another body. */
    reuse: ({ commandId }: { readonly commandId: CommandId }): Command => ({
      ...command({ _tag: "Update", title: "another" }),
      commandId
    })
  }
})

/** Asks, and lets whatever can happen without time passing happen. */
export const ask = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.tap(Effect.forkChild(Effect.result(effect)), () => settled)

export const settled = Effect.repeat(Effect.yieldNow, { times: 50 })
