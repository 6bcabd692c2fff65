/** A page of a log that was read for readers of its session. */
export interface KeptPage {
  /** Of its events, as they were read: what they are encoded to takes about as much again. */
  readonly bytes: number
  readonly forget: () => void
}

/** The pages of all sessions that a node has for readers. Where they come to too much, those go that were wanted longest ago. */
export class KeptPages {
  private readonly bytesMax: number
  private readonly pages = new Set<KeptPage>()
  private bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get keptBytes(): number {
    return this.bytes
  }

  /** Takes a page in, or says that it was wanted again. */
  use(page: KeptPage): void {
    if (this.pages.delete(page)) this.bytes -= page.bytes
    this.pages.add(page)
    this.bytes += page.bytes
    for (const oldest of this.pages) {
      if (this.bytes <= this.bytesMax || oldest === page) return
      this.drop(oldest)
      oldest.forget()
    }
  }

  drop(page: KeptPage): void {
    if (this.pages.delete(page)) this.bytes -= page.bytes
  }
}
