import * as Chain from "../log/Chain.ts"
import type { Recorded } from "../log/Envelope.ts"

/** What is wrong at one place of a log. */
export type ChainFinding = { readonly seq: number } & (
  | { readonly _tag: "WrongSeq"; readonly expected: number }
  | { readonly _tag: "OtherStream"; readonly streamId: string }
  /** The payload is not what the event committed to. */
  | { readonly _tag: "PayloadChanged" }
  /** The envelope, the commitment or the place in the order is not what the chain was computed over. */
  | { readonly _tag: "ChainBroken" }
  | { readonly _tag: "EpochDecreased"; readonly from: number; readonly to: number }
  | { readonly _tag: "TimeNotIncreasing"; readonly from: number; readonly to: number }
  /** Events of another command stand between those of this one. */
  | { readonly _tag: "CommandSplit"; readonly commandId: string }
  /** The content is gone, and no event of this log asked for it, or not for what stands there now. */
  | { readonly _tag: "RedactionNotAsked" }
  | { readonly _tag: "HeadDiffers"; readonly field: "version" | "chain" | "epoch"; readonly expected: string }
)

export interface ChainReport {
  readonly ok: boolean
  readonly checked: number
  /** Events whose content is gone: only their place in the chain is proved, and that their redaction was asked for. */
  readonly redacted: number
  /** Where it goes wrong first. Everything before is proved as it was written. */
  readonly firstBad: ChainFinding | null
  /** The first findings; `found` counts all of them. */
  readonly findings: ReadonlyArray<ChainFinding>
  readonly found: number
  /** Where the log stands after what was checked. */
  readonly version: number
  readonly epoch: number
  readonly chain: string
}

/** A place in a log that is believed: checking goes on from there. */
export interface Anchor {
  readonly version: number
  readonly chain: string
  readonly epoch?: number
  readonly recordedAt?: number
}

export interface ChainCheckOptions {
  readonly sha256: Chain.Sha256
  readonly from?: Anchor
  /** Whose log this should be; else that of the first event. */
  readonly of?: Pick<Recorded, "streamId" | "workspaceId">
  /** How many findings are kept. */
  readonly findingsMax?: number
}

/** Where the log says that it ends. */
export type Head = Pick<Anchor, "version" | "chain" | "epoch">

const start: Anchor = { version: 0, chain: Chain.genesis }

/**
 * Checks a log event by event, as they come. After a break it goes on from what stands there, so that each tampering is
 * named once, where it is.
 */
export class ChainCheck {
  readonly #sha256: Chain.Sha256
  readonly #findingsMax: number
  readonly #findings: Array<ChainFinding> = []
  readonly #commands = new Set<string>()
  /** Digests of what stands in redacted events, by seq, until the request for their redaction accounts for them. */
  readonly #unaccounted = new Map<number, string>()
  #found = 0
  #checked = 0
  #redacted = 0
  #version: number
  #epoch: number
  #recordedAt: number
  #chain: string
  #of: Pick<Recorded, "streamId" | "workspaceId"> | undefined
  #causationId: string | undefined

  constructor({ findingsMax = 100, from = start, of, sha256 }: ChainCheckOptions) {
    this.#sha256 = sha256
    this.#of = of
    this.#findingsMax = findingsMax
    this.#version = from.version
    this.#chain = from.chain
    this.#epoch = from.epoch ?? 0
    this.#recordedAt = from.recordedAt ?? 0
  }

  /** Checks the next event; true where nothing was found. */
  push(row: Recorded): boolean {
    const before = this.#found
    const { seq } = row
    const of = (this.#of ??= row)
    if (seq !== this.#version + 1) this.#find({ _tag: "WrongSeq", seq, expected: this.#version + 1 })
    if (row.streamId !== of.streamId || row.workspaceId !== of.workspaceId) {
      this.#find({ _tag: "OtherStream", seq, streamId: row.streamId })
    }
    if (row.salt === null) this.#redact(row)
    else if (row.payload === null || Chain.commit(this.#sha256, row.salt, row.payload) !== row.commitment) {
      this.#find({ _tag: "PayloadChanged", seq })
    }
    if (Chain.link(this.#sha256, this.#chain, row, row.commitment) !== row.chain)
      this.#find({ _tag: "ChainBroken", seq })
    if (row.epoch < this.#epoch) this.#find({ _tag: "EpochDecreased", seq, from: this.#epoch, to: row.epoch })
    if (row.recordedAt <= this.#recordedAt) {
      this.#find({ _tag: "TimeNotIncreasing", seq, from: this.#recordedAt, to: row.recordedAt })
    }
    if (this.#causationId !== row.causationId) {
      if (this.#commands.has(row.causationId)) this.#find({ _tag: "CommandSplit", seq, commandId: row.causationId })
      this.#commands.add(row.causationId)
    }
    if (row.type === "RedactionRequested") this.#account(row)
    this.#version = seq
    this.#chain = row.chain
    this.#epoch = row.epoch
    this.#recordedAt = row.recordedAt
    this.#causationId = row.causationId
    this.#checked++
    return this.#found === before
  }

  /** The report so far; with the log's head, also whether this is all of it. */
  report(head?: Head): ChainReport {
    if (head !== undefined) {
      const seq = this.#version
      const differs = (field: "version" | "chain" | "epoch", expected: string | number, actual: string | number) => {
        if (expected !== actual) this.#find({ _tag: "HeadDiffers", seq, field, expected: String(expected) })
      }
      differs("version", head.version, this.#version)
      differs("chain", head.chain, this.#chain)
      // A claim without an append moves the head's epoch alone.
      if (head.epoch !== undefined && head.epoch < this.#epoch) differs("epoch", head.epoch, this.#epoch)
      for (const redacted of this.#unaccounted.keys()) this.#find({ _tag: "RedactionNotAsked", seq: redacted })
      this.#unaccounted.clear()
    }
    this.#findings.sort((a, b) => a.seq - b.seq)
    return {
      ok: this.#found === 0,
      checked: this.#checked,
      redacted: this.#redacted,
      firstBad: this.#findings[0] ?? null,
      findings: this.#findings.slice(),
      found: this.#found,
      version: this.#version,
      epoch: this.#epoch,
      chain: this.#chain
    }
  }

  #find(finding: ChainFinding): void {
    this.#found++
    if (this.#findings.length < this.#findingsMax) this.#findings.push(finding)
  }

  #redact({ payload, seq }: Recorded): void {
    this.#redacted++
    this.#unaccounted.set(seq, this.#sha256(payload ?? ""))
  }

  /** A request names the digest of what takes the content's place: nothing else may stand there. */
  #account({ payload }: Recorded): void {
    if (payload === null || this.#unaccounted.size === 0) return
    const { replacements, seqs } = parse(payload)
    for (const [index, seq] of seqs.entries()) {
      if (this.#unaccounted.get(seq) === replacements[index]) this.#unaccounted.delete(seq)
    }
  }
}

const parse = (
  payload: string
): { readonly seqs: ReadonlyArray<number>; readonly replacements: ReadonlyArray<string> } => {
  try {
    const { replacements, seqs } = JSON.parse(payload)
    if (Array.isArray(seqs) && Array.isArray(replacements)) return { replacements, seqs }
  } catch {
    // What can't be read accounts for nothing.
  }
  return { replacements: [], seqs: [] }
}

/** Says whether a log is as it was written: nothing flipped, deleted, inserted or put in another order. */
export const verifyChain = (
  rows: Iterable<Recorded>,
  options: ChainCheckOptions & { readonly head?: Head }
): ChainReport => {
  const check = new ChainCheck(options)
  for (const row of rows) check.push(row)
  return check.report(options.head)
}
