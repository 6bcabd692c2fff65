import type { LogDelta, LogEvent } from "@troupe/client"
import { troupe } from "../api/troupe.ts"
import { followWhileSeen } from "../api/whileSeen.ts"
import { type Chapter, rowsOfChapter, sizes, sizesWhileReading } from "./chapters.logic.ts"
import { type Told, tell, untold } from "./fold.logic.ts"
import { logAfter, readLog } from "./readLog.ts"
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

  /** The rows of a part that was let go of. */
  chapter = async (chapter: Chapter): Promise<ReadonlyArray<Row>> =>
    rowsOfChapter(chapter, this.view.timeline, await readLog(this.#sessionId, chapter.from, chapter.to))

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

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const events of logAfter(this.#sessionId, this.#seen(), signal)) {
      this.#arrived.push(...events)
      if (this.view.seen === 0) this.#draw()
      else this.#drawSoon()
    }
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
