/** A file that was named and can't go along with a message. A plain error: a chat that waits for keys has none of effect in memory. */
export class Unattachable extends Error {
  readonly advice: string | null

  constructor(what: string, advice: string | null = null) {
    super(what)
    this.advice = advice
  }
}
