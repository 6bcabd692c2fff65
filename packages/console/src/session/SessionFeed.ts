import type { LogEvent } from "@troupe/domain/api/Events"
import { ApiProblem, asProblem } from "../api/ApiProblem.ts"
import { get, query, send } from "../api/http.ts"
import { type ServerEvent, serverEvents } from "../api/sse.ts"
import { type Told, tell, untold, writeOn, type Writing, written } from "./fold.logic.ts"

export interface FeedView extends Told {
  readonly writing: Writing
  readonly connection: "loading" | "live" | "away"
  readonly problem: ApiProblem | null
}

interface LogPage {
  readonly data: ReadonlyArray<LogEvent>
  readonly next_after: number | null
}

const pageSize = 1_000
/** What arrives is shown so often at most: a reader sees no difference, and the page stays quick. */
const drawEveryMs = 50
/** The server says every 15 seconds that it is there. */
const silenceMaxMs = 40_000
const pausesMs = [250, 500, 1_000, 2_000, 5_000]

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** What can't get better by asking again. */
const isFinal = (error: unknown) => error instanceof ApiProblem && error.status >= 400 && error.status < 429

/** Follows one session: reads its log, stays with it as it grows, and finds its place again after each break. */
export class SessionFeed {
  view: FeedView = { ...untold, writing: new Map(), connection: "loading", problem: null }
  readonly #sessionId: string
  readonly #listeners = new Set<() => void>()
  #arrived: Array<LogEvent> = []
  #deltas: Array<readonly [blockId: string, text: string]> = []
  #drawing: ReturnType<typeof setTimeout> | undefined
  #stopped = new AbortController()

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

  #start(): void {
    this.#stopped = new AbortController()
    const { signal } = this.#stopped
    void this.#again((one) => this.#followLog(one), signal, true)
    void this.#again((one) => this.#followWriting(one), signal, false)
  }

  #stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#drawing)
    this.#drawing = undefined
  }

  /** Tries until it is stopped, or told that it never will. */
  async #again(follow: (signal: AbortSignal) => Promise<void>, signal: AbortSignal, isShown: boolean): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const began = performance.now()
      const problem = await follow(signal).then(
        () => null,
        (error: unknown) => error
      )
      if (signal.aborted) return
      if (isShown) this.#show({ connection: "away", problem: problem === null ? null : asProblem(problem) })
      if (isFinal(problem)) return
      failures = performance.now() - began > silenceMaxMs ? 0 : failures
      await pause(pausesMs[Math.min(failures++, pausesMs.length - 1)]!, signal)
    }
  }

  async #followLog(signal: AbortSignal): Promise<void> {
    await this.#catchUp(signal)
    const after = this.#seen()
    await this.#listen(
      `log/stream${query({ after })}`,
      signal,
      () => this.#show({ connection: "live", problem: null }),
      (event) => {
        if (event.id !== null) this.#arrived.push(JSON.parse(event.data) as LogEvent)
      }
    )
  }

  async #followWriting(signal: AbortSignal): Promise<void> {
    const path = `events/stream${query({ "event_deltas[]": "agent.message" })}`
    await this.#listen(
      path,
      signal,
      () => undefined,
      ({ data, name }) => {
        if (name !== "event_delta") return
        const { delta, event_id } = JSON.parse(data) as { event_id: string; delta: { content: { text: string } } }
        this.#deltas.push([event_id, delta.content.text])
      }
    )
  }

  #seen(): number {
    return this.#arrived.at(-1)?.seq ?? this.view.log.length
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    let after: number | null = this.#seen()
    while (after !== null) {
      const page: LogPage = await get(`/v1/sessions/${this.#sessionId}/log${query({ after, limit: pageSize })}`, signal)
      this.#arrived.push(...page.data)
      this.#draw()
      after = page.next_after
    }
  }

  async #listen(
    path: string,
    stopped: AbortSignal,
    begin: () => void,
    take: (event: ServerEvent) => void
  ): Promise<void> {
    const silent = new AbortController()
    const stop = () => silent.abort()
    let watch = setTimeout(stop, silenceMaxMs)
    stopped.addEventListener("abort", stop)
    try {
      const response = await send(`/v1/sessions/${this.#sessionId}/${path}`, { signal: silent.signal })
      begin()
      for await (const batch of serverEvents(response.body!)) {
        clearTimeout(watch)
        watch = setTimeout(stop, silenceMaxMs)
        for (const event of batch) take(event)
        if (batch.length > 0) this.#drawSoon()
      }
    } finally {
      clearTimeout(watch)
      stopped.removeEventListener("abort", stop)
    }
  }

  #drawSoon(): void {
    this.#drawing ??= setTimeout(() => this.#draw(), drawEveryMs)
  }

  #draw(): void {
    clearTimeout(this.#drawing)
    this.#drawing = undefined
    const { told, gap } = tell(this.view, this.#arrived)
    let writing = this.view.writing
    const known = new Set(this.#arrived.map(({ payload }) => payload?.["blockId"]))
    for (const [blockId, text] of this.#deltas) if (!known.has(blockId)) writing = writeOn(writing, blockId, text)
    writing = written(writing, this.#arrived)
    this.#arrived = []
    this.#deltas = []
    this.#show({ log: told.log, timeline: told.timeline, writing })
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
