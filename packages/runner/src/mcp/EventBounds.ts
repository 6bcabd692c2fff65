const newline = 10
const fieldOfIds = "id:"

/** Where the events of a stream end, while their bytes come. Of anything else, the whole is one. */
export class EventBounds {
  /** Whether events had ids, so that the stream may be taken up after the last one. */
  hasIds = false
  private readonly isEvents: boolean
  private used = 0
  private lineLength = 0
  /** As much of the line as the field's name needs. */
  private lineStart = ""

  constructor(isEvents: boolean) {
    this.isEvents = isEvents
  }

  /** How many bytes the event has that is not over yet. */
  take(chunk: Buffer): number {
    if (!this.isEvents) return (this.used += chunk.length)
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      this.extend(chunk.subarray(from, at))
      this.endLine()
      from = at + 1
    }
    this.extend(chunk.subarray(from))
    return this.used
  }

  private extend(part: Buffer): void {
    const missing = fieldOfIds.length - this.lineStart.length
    if (missing > 0) this.lineStart += part.toString("latin1", 0, missing)
    this.lineLength += part.length
    this.used += part.length
  }

  /** An empty line ends an event. */
  private endLine(): void {
    const isEmpty = this.lineLength === 0 || this.lineStart === "\r"
    if (isEmpty) this.used = 0
    else if (this.lineStart === fieldOfIds) this.hasIds = true
    this.lineLength = 0
    this.lineStart = ""
  }
}
