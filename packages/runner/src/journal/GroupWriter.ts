interface Waiting<Item> {
  readonly item: Item
  readonly done: (failure: unknown) => void
}

/** How long what is in no hurry waits for something to share its sync with. */
const patienceMs = 2

/**
 * Writes what came in while the write before was under way, all at once: many callers share one sync. Nothing waits for a
 * timer but what is in no hurry. When a write fails, so does all that waits behind it.
 */
export class GroupWriter<Item> {
  private waiting: Array<Waiting<Item>> = []
  private busy = false
  private timer: NodeJS.Timeout | null = null
  private readonly idlers: Array<() => void> = []
  private readonly write: (items: ReadonlyArray<Item>) => Promise<void>

  constructor(write: (items: ReadonlyArray<Item>) => Promise<void>) {
    this.write = write
  }

  /** `done` hears null once the item is on disk, or why it is not. What is `inNoHurry` is written with the next that is. */
  submit(item: Item, done: (failure: unknown) => void, inNoHurry = false): void {
    this.waiting.push({ item, done })
    if (this.busy) return
    if (inNoHurry) this.timer ??= setTimeout(() => this.start(), patienceMs)
    else this.start()
  }

  /** Resolves when nothing is being written and nothing waits. */
  idle(): Promise<void> {
    if (this.timer !== null) this.start()
    return this.busy ? new Promise((resolve) => this.idlers.push(resolve)) : Promise.resolve()
  }

  private start(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.busy = true
    // Whoever submits in this same round of the event loop shares the first write.
    queueMicrotask(() => void this.work())
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting
      this.waiting = []
      try {
        await this.write(batch.map(({ item }) => item))
        for (const { done } of batch) done(null)
      } catch (failure) {
        const behind = this.waiting
        this.waiting = []
        for (const { done } of batch) done(failure)
        for (const { done } of behind) done(failure)
      }
    }
    this.busy = false
    for (const resolve of this.idlers.splice(0)) resolve()
  }
}
