import type { AttemptRef, Output, Secret } from "@troupe/domain/runner/Attempt"
import { AttemptGone, EpochRefused, RunnerAway } from "@troupe/domain/runner/Attempt"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { type Clock, Effect, Redacted, Stream } from "effect"
import type { AttemptJournal } from "../journal/AttemptJournal.ts"
import { Scrubber } from "../secrets/Scrubber.ts"
import { secretParts } from "../secrets/secretParts.ts"
import { scrubFrame } from "../secrets/scrubFrame.ts"
import { Answers } from "./Answers.ts"
import { AttemptInbox } from "./AttemptInbox.ts"
import { type AttemptFrames, JournalFull } from "./AttemptFrames.ts"
import { Deltas } from "./Deltas.ts"
import { Lease } from "./Lease.ts"
import { Signal } from "./Signal.ts"

/** One message over the link: what is larger would hold up all others. */
const batch = { frames: 64, bytes: 262_144 }

/**
 * What others mostly follow at once, and nobody waits for: it is sent with them, or a moment later by itself. Each message
 * is a commit of the session's log.
 */
const unhurried: ReadonlySet<FrameBody["_tag"]> = new Set([
  "ModelRequestStarted",
  "ModelRequestEnded",
  "MessageBlock",
  "ThinkingBlock",
  "SubagentStarted",
  "SubagentEnded",
  "ToolRequested",
  "ToolFinished"
])
const patienceMs = 2

export interface AttemptTiming {
  readonly contactLeaseMs: number
  readonly contactEveryMs: number
  /** How long an interrupted harness may close what it opened, before that is done for it. */
  readonly interruptGraceMs: number
}

export type LinkError = RunnerAway | EpochRefused | AttemptGone

/** An attempt in the hands of this runner: its journal, its lease, what it was told, and who follows it. */
export class LiveAttempt {
  readonly journal: AttemptJournal
  readonly inbox = new AttemptInbox()
  readonly answers = new Answers()
  readonly scrubber = new Scrubber()
  readonly lease: Lease
  /** A harness works on it. */
  working: boolean
  /** It was interrupted by people, and what ends it says so. */
  interrupted = false
  /** It can't come back, and why. */
  gone: string | null = null
  /** Everything it said is in the log. */
  collected = false
  /** Permissions for the whole session, as far as they were heard of. */
  readonly grants = new Set<string>()
  private readonly secrets = new Map<string, Secret>()
  private readonly deltas: Deltas
  private readonly timing: AttemptTiming
  private readonly clock: Clock.Clock
  private reader = 0
  private followed = false
  /** Frames up to here are to be sent now; those after it may wait for company. */
  private due: number
  private patience: NodeJS.Timeout | null = null
  private readonly signal = new Signal()

  constructor(
    journal: AttemptJournal,
    working: boolean,
    timing: AttemptTiming & { readonly leaseMs: () => number },
    clock: Clock.Clock
  ) {
    this.journal = journal
    this.working = working
    this.due = journal.last
    this.timing = timing
    this.clock = clock
    this.lease = new Lease(clock, timing.leaseMs)
    this.deltas = new Deltas(this.scrubber)
  }

  get attemptId() {
    return this.journal.request.attemptId
  }

  get done(): boolean {
    return !this.working && this.journal.acknowledged >= this.journal.last
  }

  /** Wakes whoever waits for something to change. */
  touch(): void {
    this.signal.touch()
  }

  /** A value that is newer than the one it has. */
  learn(secret: Secret): void {
    const known = this.secrets.get(secret.name)
    if (known !== undefined && known.version >= secret.version) return
    this.secrets.set(secret.name, secret)
    for (const part of secretParts(Redacted.value(secret.value))) this.scrubber.add(part)
  }

  grant(keys: ReadonlyArray<string>): void {
    for (const key of keys) this.grants.add(key)
  }

  secret(name: string): string | null {
    const known = this.secrets.get(name)
    return known === undefined ? null : Redacted.value(known.value)
  }

  /** Of the value it has; 0 where it has none. */
  versionOf(name: string): number {
    return this.secrets.get(name)?.version ?? 0
  }

  acknowledge(frame: number, contact: number): void {
    this.journal.acknowledge(frame)
    this.lease.heard(contact)
    this.touch()
  }

  readonly frames: AttemptFrames = {
    emit: (body) =>
      Effect.callback<number, JournalFull>((resume) => {
        const { attemptId } = this
        this.journal.append(scrubFrame(this.scrubber, body), (result) => {
          this.said(body)
          resume(
            typeof result === "number"
              ? Effect.succeed(result)
              : Effect.fail(new JournalFull({ attemptId, detail: result.detail }))
          )
        })
      }),
    say: (body) =>
      Effect.suspend(() => {
        this.journal.append(scrubFrame(this.scrubber, body), () => this.said(body), true)
        return this.notFull
      }),
    written: Effect.andThen(
      Effect.promise(() => this.journal.written()),
      Effect.suspend(() => this.notFull)
    ),
    committed: (frame) => this.signal.until(() => this.journal.acknowledged >= frame && this.lease.holds()),
    delta: (blockId, offset, text) => {
      if (this.deltas.push(blockId, offset, text, this.journal.last, this.followed)) this.touch()
    },
    thinks: (blockId) => {
      if (!this.followed) return
      this.deltas.begin(blockId, this.journal.last)
      this.touch()
    },
    mayBegin: this.signal.until(() => this.lease.holds())
  }

  /** What its follower gets. Whoever comes later, of this epoch or a higher one, takes over, and this gets nothing more. */
  outputs(ref: AttemptRef, afterFrame: number, epoch: () => number): Stream.Stream<Output, LinkError> {
    return Stream.suspend(() => {
      const mine = ++this.reader
      this.followed = true
      this.deltas.clear()
      this.touch()
      let contactAt = -Infinity
      const next = (sent: number): Effect.Effect<readonly [Output, number] | undefined, LinkError> =>
        Effect.suspend(() => {
          const { attemptId, gone, journal, signal } = this
          const changed = signal.next
          if (ref.epoch < epoch()) {
            return Effect.fail(new EpochRefused({ sessionId: ref.sessionId, epoch: ref.epoch, seen: epoch() }))
          }
          if (gone !== null) return Effect.fail(new AttemptGone({ attemptId, reason: gone }))
          if (this.collected) return Effect.succeed(undefined)
          if (this.reader !== mine) return Effect.fail(new RunnerAway({ runnerId: ref.runnerId }))
          const now = this.monotonicMs()
          if (now - contactAt >= this.timing.contactEveryMs) {
            contactAt = now
            return Effect.succeed([{ _tag: "Contact", contact: this.lease.contact() }, sent] as const)
          }
          if (journal.last > sent && (this.due > sent || !this.working)) return this.readAfter(sent)
          const delta = this.deltas.take()
          if (delta !== undefined) return Effect.succeed([delta, sent] as const)
          const silent = Effect.sleep(contactAt + this.timing.contactEveryMs - now)
          return Effect.andThen(Effect.raceFirst(changed, silent), next(sent))
        })
      const leave = Effect.sync(() => {
        if (this.reader !== mine) return
        this.followed = false
        this.deltas.clear()
      })
      return Stream.unfold(afterFrame, next).pipe(Stream.rechunk(1), Stream.ensuring(leave))
    })
  }

  private readAfter(sent: number): Effect.Effect<readonly [Output, number], AttemptGone> {
    return Effect.tryPromise({
      try: () => this.journal.read(sent, batch),
      catch: () => new AttemptGone({ attemptId: this.attemptId, reason: this.gone ?? "its journal can't be read" })
    }).pipe(Effect.map((frames) => [{ _tag: "Frames", frames }, frames.at(-1)?.n ?? sent] as const))
  }

  private get notFull(): Effect.Effect<void, JournalFull> {
    const { full: detail } = this.journal
    return detail === null ? Effect.void : Effect.fail(new JournalFull({ attemptId: this.attemptId, detail }))
  }

  private said(body: FrameBody): void {
    if (body._tag === "MessageBlock" || body._tag === "ThinkingBlock") this.deltas.finished(body.blockId)
    if (unhurried.has(body._tag)) this.patience ??= setTimeout(() => this.hurry(), patienceMs)
    else this.hurry()
  }

  private hurry(): void {
    if (this.patience !== null) clearTimeout(this.patience)
    this.patience = null
    this.due = this.journal.last
    this.touch()
  }

  private monotonicMs(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  }
}
