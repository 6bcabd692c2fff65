interface Sized {
  readonly size: number
}

/** The values that were used last, as many as are allowed and as large as they may be together. */
export class Remembered<A extends Sized> {
  private readonly values = new Map<string, A>()
  private readonly countMax: number
  private readonly sizeMax: number
  private size = 0

  constructor(countMax: number, sizeMax: number) {
    this.countMax = countMax
    this.sizeMax = sizeMax
  }

  peek(key: string): A | undefined {
    return this.values.get(key)
  }

  /** Takes it out: whoever goes on from it keeps what it becomes. */
  take(key: string): A | undefined {
    const value = this.values.get(key)
    if (value === undefined) return undefined
    this.values.delete(key)
    this.size -= value.size
    return value
  }

  keep(key: string, value: A): void {
    this.take(key)
    this.values.set(key, value)
    this.size += value.size
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.countMax && this.size <= this.sizeMax) return
      this.take(oldest)
    }
  }
}
