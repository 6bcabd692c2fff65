import type { LogDelta, LogEvent } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { followWhileSeen } from "../api/whileSeen.ts"
import { type Chapter, rowsOfChapter, sizes, sizesWhileReading } from "./chapters.logic.ts"
import { type Told, tell, untold } from "./fold.logic.ts"
import { logAfter, readLog } from "./readLog.ts"
import { beginningsOf, chaptersBefore, knowsWhatWaits, tailFrom, toldBefore } from "./past.logic.ts"
import { placeOn } from "./place.logic.ts"
import { primaryOf, type Row } from "./rows.logic.ts"
import { nothingWritten, writeOn, type Writing, written } from "./writing.logic.ts"

export interface FeedView extends Told {
  readonly writing: Writing
  readonly connection: "loading" | "live" | "away"
  /** Why it is not live; null where it is, or just comes back. */
  readonly problem: unknown
}

/** What arrives is shown so often at most: a reader sees no difference, and the page stays quick. */
const drawEveryMs = 50
/** Where drawing itself takes long, most of the time is left to whoever types and scrolls. */
const restAfter = 4
const drawAtLeastEveryMs = 500
const turnsPage = { limit: 100, order: "desc" } as const

/** Follows one session: reads its log, stays with it as it grows, and finds its place again after each break. */
export class SessionFeed {
  view: FeedView = { ...untold, writing: nothingWritten, connection: "loading", problem: null }
  readonly #sessionId: string
  readonly #listeners = new Set<() => void>()
  #arrived: Array<LogEvent> = []
  #deltas: Array<LogDelta> = []
  #drawing: ReturnType<typeof setTimeout> | undefined
  #drewMs = 0
  #stopped = new AbortController()
  #sizes = sizes
  /** What asks for the turns before those that are known. */
  #older: object | null = null
  /** Whether its tail alone was read, and nothing was said yet of what is above that. */
  #isTail = false
  #isWhole = false

  constructor(sessionId: string) {
    this.#sessionId = sessionId
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#stop()
    }
  }

  snapshot = (): FeedView => this.view

  /** Whoever reads further up keeps more around them, for a while. */
  reading = (isReading: boolean): void => {
    this.#sizes = isReading ? sizesWhileReading : sizes
  }

  /** The rows of a part that is not kept; null where it was divided instead. */
  chapter = async (chapter: Chapter): Promise<ReadonlyArray<Row> | null> => {
    if (chapter.isUndivided === true) return await this.#divide(chapter)
    return rowsOfChapter(chapter, this.view.timeline, await readLog(this.#sessionId, chapter.from, chapter.to))
  }

  #start(): void {
    this.#stopped = new AbortController()
    const { signal } = this.#stopped
    void followWhileSeen(
      { follow: (one) => this.#follow(one), left: (problem) => this.#show({ connection: "away", problem }) },
      signal
    )
  }

  #stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#drawing)
    this.#drawing = undefined
  }

  /** Finds where the end of a long session begins, so that only this is read. */
  async #begin(signal: AbortSignal): Promise<void> {
    const opening = await readLog(this.#sessionId, 1, 1, signal)
    const turns = await troupe.sessions.turns.list(this.#sessionId, turnsPage, { signal })
    const told = opening.map((opened) => toldBefore(opened, 1, []))[0]
    const threadId = told === undefined ? undefined : primaryOf(told.timeline)?.threadId
    if (threadId === undefined) return
    const beginnings = beginningsOf(turns.data, threadId)
    const from = tailFrom(turns.data, beginnings)
    if (from === 1) return
    this.#older = turns.more
    this.#isTail = true
    const chapters = chaptersBefore(beginnings, from, turns.hasNextPage())
    this.view = { ...this.view, ...toldBefore(opening[0]!, from, chapters) }
  }

  /** Finds more of the turns of the past. */
  async #divide({ to }: Chapter): Promise<null> {
    const turns = await troupe.sessions.turns.list(this.#sessionId, { ...turnsPage, ...this.#older })
    const threadId = primaryOf(this.view.timeline)?.threadId
    if (threadId === undefined || this.view.chapters[0]?.to !== to) return null
    this.#older = turns.more
    const beginnings = beginningsOf(turns.data, threadId)
    const [, ...rest] = this.view.chapters
    this.#show({ chapters: [...chaptersBefore(beginnings, to + 1, turns.hasNextPage()), ...rest] })
    return null
  }

  /** Of what was queued before its tail, nothing is in that: then all is read. */
  async #complete(signal: AbortSignal): Promise<void> {
    this.#draw()
    const queues = await troupe.sessions.turns.queues(this.#sessionId, { signal })
    const waiting = queues.flatMap(({ data }) => data)
    if (knowsWhatWaits(this.view, waiting)) void this.#findPlan(signal).catch(() => undefined)
    else this.#readAll()
  }

  /** What the agent means to do may be older than all that was read. */
  async #findPlan(signal: AbortSignal): Promise<void> {
    const thread = primaryOf(this.view.timeline)
    if (thread?.plan !== null) return
    const query = { "types[]": ["PlanUpdated"], limit: 1_000 }
    let last: LogEvent | undefined
    for await (const event of troupe.sessions.log.list(this.#sessionId, query, { signal })) {
      if (event.thread_id === thread.threadId) last = event
    }
    if (last === undefined || last.seq >= this.view.from || primaryOf(this.view.timeline)?.plan !== null) return
    this.#show({ timeline: placeOn(this.view.timeline, last) })
  }

  #readAll(): void {
    this.#isWhole = true
    this.#arrived = []
    this.view = { ...this.view, ...untold }
    this.#restart()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    if (this.view.seen === 0 && !this.#isWhole) await this.#begin(signal)
    let isFirst = true
    for await (const events of logAfter(this.#sessionId, this.#seen(), signal)) {
      this.#arrived.push(...events)
      if (isFirst) this.#draw()
      else this.#drawSoon()
      isFirst = false
    }
    if (this.#isTail) await this.#complete(signal)
    this.#isTail = false
    if (signal.aborted) return
    const followed = troupe.sessions.log.stream(this.#sessionId, {
      after: this.#seen(),
      deltas: true,
      signal,
      onConnection: ({ error = null, stands }) =>
        this.#show({ connection: stands ? "live" : "away", problem: stands ? null : error })
    })
    for await (const event of followed) {
      if (event.type === "delta") this.#deltas.push(event)
      else this.#arrived.push(event)
      this.#drawSoon()
    }
  }

  #seen(): number {
    return this.#arrived.at(-1)?.seq ?? this.view.seen
  }

  #drawSoon(): void {
    const rest = Math.min(Math.max(this.#drewMs * restAfter, drawEveryMs), drawAtLeastEveryMs)
    this.#drawing ??= setTimeout(() => this.#draw(), rest)
  }

  #draw(): void {
    clearTimeout(this.#drawing)
    this.#drawing = undefined
    const began = performance.now()
    setTimeout(() => {
      this.#drewMs = performance.now() - began
    }, 0)
    const { told, gap } = tell(this.view, this.#arrived, this.#sizes)
    const primary = primaryOf(told.timeline)?.threadId
    const writing = this.#deltas.filter(({ thread_id }) => thread_id === primary).reduce(writeOn, this.view.writing)
    const arrived = this.#arrived
    this.#arrived = []
    this.#deltas = []
    this.#show({ ...told, writing: written(writing, arrived) })
    // A gap is refilled from the log: the stream is opened anew behind what is known.
    if (gap) this.#restart()
  }

  #restart(): void {
    this.#stop()
    this.#start()
  }

  #show(change: Partial<FeedView>): void {
    this.view = { ...this.view, ...change }
    for (const listener of this.#listeners) listener()
  }
}
