import type { SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import * as History from "@troupe/domain/session/History"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Context, Effect, Layer, Result } from "effect"
import { EventStore, pageBytesMax, type StoreUnavailable } from "../log/EventStore.ts"
import { RecentEvents } from "../log/RecentEvents.ts"
import { Remembered } from "../log/Remembered.ts"
import { readEvent } from "../session/reading.ts"
import { SessionUnreadable } from "../session/SessionErrors.ts"
import * as Checkpoint from "./Checkpoint.ts"
import * as Setup from "./Setup.ts"

const pageSize = 2_000
/** A page of fewer characters than this was not cut, however many bytes each of them takes. */
const wholeMax = pageBytesMax / 8
const rememberedMax = 1_000
/** Of what conversations in memory are folded from, in characters. */
const conversationsMax = 16_777_216

interface Known {
  readonly version: number
  readonly setup: Setup.Setup | null
}

/** A thread's conversation as far as it was folded. */
interface Folded {
  readonly version: number
  readonly view: History.History
  readonly setup: Setup.Setup | null
  readonly checkpoint: Checkpoint.Checkpoint
  readonly size: number
}

export interface Conversation {
  readonly setup: Setup.Setup
  readonly history: ReadonlyArray<HistoryItem>
  readonly checkpoint: Checkpoint.Checkpoint["last"]
  /** Of what it was folded from, in characters. */
  readonly size: number
}

type ReadError = StoreUnavailable | SessionUnreadable

/** What of a session's log is told to runners. */
export class SessionLog extends Context.Service<
  SessionLog,
  {
    /**
     * What it works with at `version` of its log at least, or now. Of a session that was asked for lately, only what came
     * since is read.
     */
    readonly setup: (sessionId: SessionId, version?: number) => Effect.Effect<Setup.Setup, ReadError>
    /** The same, where it is known without reading. */
    readonly known: (sessionId: SessionId, version: number) => Setup.Setup | null
    /** Whose it is, which never changes. */
    readonly workspace: (sessionId: SessionId) => Effect.Effect<WorkspaceId, ReadError>
    /** The conversation of a thread and what it works with, up to `version`. It too is remembered for a while. */
    readonly conversation: (
      sessionId: SessionId,
      threadId: ThreadId,
      version: number
    ) => Effect.Effect<Conversation, ReadError>
  }
>()("server/SessionLog") {
  static readonly layer: Layer.Layer<SessionLog, never, EventStore> = Layer.effect(
    SessionLog,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const store = yield* EventStore
  const recent = yield* RecentEvents
  const remembered = new Map<SessionId, Known>()
  const conversations = new Remembered<Folded>(rememberedMax, conversationsMax)

  /** Folds what comes after `after`, up to `upto` or the end. Answers the seq of the last event. */
  const read = Effect.fnUntraced(function* (
    sessionId: SessionId,
    after: number,
    upto: number,
    take: (seq: number, event: SessionEvent, size: number) => void
  ) {
    const written = recent.between(sessionId, after, upto)
    if (written !== null) {
      for (const { event, seq, size } of written) take(seq, event, size)
      return upto
    }
    let at = after
    while (at < upto) {
      const limit = Math.min(pageSize, upto - at)
      const page = yield* store.readToFold(sessionId, { after: at, limit })
      for (const stored of page) {
        const event = readEvent(stored)
        if (Result.isFailure(event)) {
          const { message, reason } = event.failure
          return yield* new SessionUnreadable({ sessionId, seq: stored.seq, reason: reason._tag, detail: message })
        }
        take(stored.seq, event.success, stored.payload?.length ?? 0)
        at = stored.seq
      }
      const size = page.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0)
      // One that is short, and not because it would be too large, is the last.
      if (page.length === 0 || (page.length < limit && size < wholeMax)) return at
    }
    return at
  })

  const unopened = (sessionId: SessionId) =>
    new SessionUnreadable({ sessionId, seq: 1, reason: "Hole", detail: "the session is not open" })

  const remember = (sessionId: SessionId, version: number, setup: Setup.Setup) => {
    remembered.delete(sessionId)
    remembered.set(sessionId, { version, setup })
    if (remembered.size > rememberedMax) remembered.delete(remembered.keys().next().value!)
  }

  const known: SessionLog["Service"]["known"] = (sessionId, version) => {
    const before = remembered.get(sessionId)
    if (before === undefined || before.setup === null) return null
    if (before.version >= version) return before.setup
    const since = recent.between(sessionId, before.version, version)
    if (since === null) return null
    const setup = since.reduce<Setup.Setup | null>((current, { event }) => Setup.apply(current, event), before.setup)
    if (setup !== null) remember(sessionId, version, setup)
    return setup
  }

  const setup: SessionLog["Service"]["setup"] = Effect.fn("SessionLog.setup")(function* (
    sessionId,
    upto = Number.MAX_SAFE_INTEGER
  ) {
    const found = known(sessionId, upto)
    if (found !== null) return found
    const before = remembered.get(sessionId) ?? { version: 0, setup: null }
    let current = before.setup
    let redacted = false
    const version = yield* read(sessionId, before.version, upto, (_seq, event) => {
      current = Setup.apply(current, event)
      redacted ||= event._tag === "RedactionApplied"
    })
    remembered.delete(sessionId)
    if (current === null) return yield* unopened(sessionId)
    // What was taken out of the log is remembered no longer.
    if (!redacted) remember(sessionId, version, current)
    return current
  })

  const workspace: SessionLog["Service"]["workspace"] = (sessionId) => {
    const before = remembered.get(sessionId)?.setup
    return before == null
      ? Effect.map(setup(sessionId), ({ workspaceId }) => workspaceId)
      : Effect.succeed(before.workspaceId)
  }

  /** Null where content was taken out of the log since: then all of it is folded anew. */
  const foldOn = Effect.fnUntraced(function* (sessionId: SessionId, from: Folded, version: number) {
    let { checkpoint, setup, size, view } = from
    let redacted = false
    yield* read(sessionId, from.version, version, (seq, event, length) => {
      view = History.apply(view, { seq, recordedAt: 0, event })
      setup = Setup.apply(setup, event)
      checkpoint = Checkpoint.apply(checkpoint, seq, event)
      size += length
      redacted ||= event._tag === "RedactionRequested" || event._tag === "RedactionApplied"
    })
    return redacted && from.version > 0 ? null : { version, view, setup, checkpoint, size }
  })

  const conversation: SessionLog["Service"]["conversation"] = Effect.fn("SessionLog.conversation")(
    function* (sessionId, threadId, version) {
      const key = `${sessionId} ${threadId}`
      const nothing = {
        version: 0,
        view: History.initial(threadId),
        setup: null,
        checkpoint: Checkpoint.initial,
        size: 0
      }
      const known = conversations.take(key)
      const from = known === undefined || known.version > version ? nothing : known
      const folded =
        (yield* foldOn(sessionId, from, version)) ?? (yield* foldOn(sessionId, nothing, version)) ?? nothing
      const { checkpoint, setup: current, view } = folded
      if (current === null) return yield* unopened(sessionId)
      conversations.keep(key, folded)
      return { setup: current, history: History.conversation(view), checkpoint: checkpoint.last, size: folded.size }
    }
  )

  return SessionLog.of({ setup, known, workspace, conversation })
})
