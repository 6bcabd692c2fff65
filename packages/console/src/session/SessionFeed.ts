import type { LogEvent } from "@troupe/domain/api/Events"
import { type ApiProblem, asProblem } from "../api/ApiProblem.ts"
import { query } from "../api/http.ts"
import { again, listen } from "../api/listening.ts"
import { type Chapter, rowsOfChapter, sizes, sizesWhileReading } from "./chapters.logic.ts"
import { type Told, tell, untold } from "./fold.logic.ts"
import { type LogPage, readLog, readLogPage } from "./readLog.ts"
import type { Row } from "./rows.logic.ts"
import { writeOn, type Writing, written } from "./writing.logic.ts"

export interface FeedView extends Told {
  readonly writing: Writing
  readonly connection: "loading" | "live" | "away"
  readonly problem: ApiProblem | null
}

/** What arrives is shown so often at most: a reader sees no difference, and the page stays quick. */
const drawEveryMs = 50
/** Where drawing itself takes long, most of the time is left to whoever types and scrolls. */
const restAfter = 4
const drawAtLeastEveryMs = 500
/** Follows one session: reads its log, stays with it as it grows, and finds its place again after each break. */
export class SessionFeed {
  view: FeedView = { ...untold, writing: new Map(), connection: "loading", problem: null }
  readonly #sessionId: string
  readonly #listeners = new Set<() => void>()
  #arrived: Array<LogEvent> = []
  #deltas: Array<readonly [blockId: string, text: string]> = []
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
    void again(
      (one) => this.#followLog(one),
      signal,
      (problem) => this.#show({ connection: "away", problem: problem === null ? null : asProblem(problem) })
    )
    void again((one) => this.#followWriting(one), signal)
  }

  #stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#drawing)
    this.#drawing = undefined
  }

  async #followLog(signal: AbortSignal): Promise<void> {
    await this.#catchUp(signal)
    await listen(`/v1/sessions/${this.#sessionId}/log/stream${query({ after: this.#seen() })}`, signal, {
      begin: () => this.#show({ connection: "live", problem: null }),
      take: (batch) => {
        for (const { data, id } of batch) if (id !== null) this.#arrived.push(JSON.parse(data) as LogEvent)
        this.#drawSoon()
      }
    })
  }

  async #followWriting(signal: AbortSignal): Promise<void> {
    const path = `/v1/sessions/${this.#sessionId}/events/stream${query({ "event_deltas[]": "agent.message" })}`
    await listen(path, signal, {
      take: (batch) => {
        for (const { data, name } of batch) {
          if (name !== "event_delta") continue
          const { delta, event_id } = JSON.parse(data) as { event_id: string; delta: { content: { text: string } } }
          this.#deltas.push([event_id, delta.content.text])
        }
        this.#drawSoon()
      }
    })
  }

  #seen(): number {
    return this.#arrived.at(-1)?.seq ?? this.view.seen
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    let after: number | null = this.#seen()
    while (after !== null) {
      const page: LogPage = await readLogPage(this.#sessionId, after, signal)
      this.#arrived.push(...page.data)
      if (this.view.seen === 0) this.#draw()
      else this.#drawSoon()
      after = page.next_after
    }
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
    let writing = this.view.writing
    const known = new Set(this.#arrived.map(({ payload }) => payload?.["blockId"]))
    for (const [blockId, text] of this.#deltas) if (!known.has(blockId)) writing = writeOn(writing, blockId, text)
    writing = written(writing, this.#arrived)
    this.#arrived = []
    this.#deltas = []
    this.#show({ ...told, writing })
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
