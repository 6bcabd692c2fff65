/** Whether each record is a file's name alone, or a name with a line behind it. */
export type RecordKind = "names" | "lines"

/**
 * Results of a search, one by one. A file's name ends with NUL and may have line ends in it; the line behind the name has
 * none.
 */
export class RecordReader {
  readonly records: Array<string> = []
  isFull = false
  private readonly kind: RecordKind
  private readonly recordsMax: number
  private readonly bytesMax: number
  private left: Buffer = Buffer.alloc(0)
  private size = 0

  constructor(kind: RecordKind, recordsMax: number, bytesMax: number) {
    this.kind = kind
    this.recordsMax = recordsMax
    this.bytesMax = bytesMax
  }

  take(bytes: Uint8Array): void {
    if (this.isFull) return
    const data = Buffer.concat([this.left, bytes])
    let from = 0
    for (let end = this.endOf(data, from); end >= 0 && !this.isFull; end = this.endOf(data, from)) {
      this.add(data.toString("utf8", from, end))
      from = end + 1
    }
    this.left = data.subarray(from)
    if (this.left.length > this.bytesMax) this.isFull = true
  }

  end(): void {
    if (!this.isFull && this.left.length > 0) this.add(this.left.toString("utf8"))
  }

  private add(record: string): void {
    if (this.records.length >= this.recordsMax || this.size + record.length > this.bytesMax) {
      this.isFull = true
      return
    }
    this.size += record.length
    this.records.push(record)
  }

  private endOf(data: Buffer, from: number): number {
    if (this.kind === "names") return data.indexOf(0, from)
    if (data.subarray(from, from + separator.length).equals(separator)) return from + separator.length - 1
    const name = data.indexOf(0, from)
    return name < 0 ? -1 : data.indexOf(10, name)
  }
}

/** Between groups of lines that do not touch. */
const separator = Buffer.from("--\n")
