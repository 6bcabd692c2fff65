import { Result } from "effect"
import { canonical } from "../CanonicalJson.ts"
import type { Sha256 } from "../log/Chain.ts"
import type { Recorded } from "../log/Envelope.ts"
import type { LogUnreadable } from "../log/EventCodec.ts"
import { foldVersion, type SessionState } from "../session/SessionState.ts"
import { BundleReader, bundleFormat, type BundleLine, type BundleUnreadable, type LineOf } from "./BundleLine.ts"
import { ChainCheck, type ChainReport } from "./ChainCheck.ts"
import { verifyDecisions, type AcceptedCommand, type DecisionReport, type RejectedCommand } from "./Decisions.ts"
import { toJson } from "./Fold.ts"
import { Follower } from "./Replay.ts"

/** An exported session: its log, the commands that made it, and marks to check a fold by. */
export interface Bundle {
  readonly header: LineOf<"header">
  readonly events: ReadonlyArray<Recorded>
  readonly accepted: ReadonlyArray<AcceptedCommand>
  readonly rejected: ReadonlyArray<RejectedCommand>
  readonly checkpoints: ReadonlyArray<LineOf<"checkpoint">>
}

/** How many events lie between two checkpoints. */
export const checkpointEvery = 1_000

/** What a state folds to, as one hash. */
export const stateDigest = (sha256: Sha256, state: SessionState): string => sha256(canonical(toJson(state)))

type Header = Omit<LineOf<"header">, "kind" | "format">

/** Writes a bundle line by line, as a log is read: the header, the events, the commands, the end. */
export class BundleWriter {
  readonly #sha256: Sha256
  readonly #version: number
  readonly #follower = new Follower()
  readonly #counts = { events: 0, commands: 0, rejections: 0 }
  readonly header: string

  constructor(header: Header, sha256: Sha256) {
    this.#sha256 = sha256
    this.#version = header.version
    this.header = line({ kind: "header", format: bundleFormat, ...header })
  }

  /** The event's line, and behind some a checkpoint's. */
  event(row: Recorded): ReadonlyArray<string> {
    this.#counts.events++
    this.#follower.push(row)
    const { state } = this.#follower
    const written = line(eventLine(row))
    if (state === null || (row.seq % checkpointEvery !== 0 && row.seq !== this.#version)) return [written]
    const digest = stateDigest(this.#sha256, state)
    return [written, line({ kind: "checkpoint", seq: row.seq, chain: row.chain, foldVersion, stateDigest: digest })]
  }

  accepted({ body, commandId, digest, seq }: AcceptedCommand): string {
    this.#counts.commands++
    return line({ kind: "command", seq, commandId, digest, body })
  }

  rejected({ body, commandId, digest, reason, version }: RejectedCommand): string {
    this.#counts.rejections++
    return line({ kind: "rejection", version, commandId, digest, reason, body })
  }

  end(): string {
    return line({ kind: "end", ...this.#counts })
  }
}

const line = (value: BundleLine): string => JSON.stringify(value)

/** The lines of a bundle, one after the other, so that a log of any length can be written as it is read. */
export function* writeBundle(
  source: {
    readonly header: Header
    readonly events: Iterable<Recorded>
    readonly accepted: Iterable<AcceptedCommand>
    readonly rejected: Iterable<RejectedCommand>
  },
  sha256: Sha256
): Generator<string, void> {
  const writer = new BundleWriter(source.header, sha256)
  yield writer.header
  for (const row of source.events) yield* writer.event(row)
  for (const command of source.accepted) yield writer.accepted(command)
  for (const command of source.rejected) yield writer.rejected(command)
  yield writer.end()
}

/** Only what belongs to the format: a store's rows may know more. */
const eventLine = (row: Recorded): LineOf<"event"> => ({
  kind: "event",
  seq: row.seq,
  type: row.type,
  version: row.version,
  eventId: row.eventId,
  stream: row.stream,
  streamId: row.streamId,
  workspaceId: row.workspaceId,
  actorText: row.actorText,
  causationId: row.causationId,
  correlationId: row.correlationId,
  threadId: row.threadId,
  epoch: row.epoch,
  recordedAt: row.recordedAt,
  salt: row.salt,
  commitment: row.commitment,
  chain: row.chain,
  payload: row.payload
})

/** Reads a whole bundle. Kinds of lines that came after this release are passed by. */
export const readBundle = (
  lines: Iterable<string>,
  options?: { readonly lineCharsMax?: number }
): Result.Result<Bundle, BundleUnreadable> => {
  const reader = new BundleReader(options)
  const events: Array<Recorded> = []
  const accepted: Array<AcceptedCommand> = []
  const rejected: Array<RejectedCommand> = []
  const checkpoints: Array<LineOf<"checkpoint">> = []
  let header: LineOf<"header"> | undefined
  for (const text of lines) {
    const read = reader.push(text)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    const line = read.success
    if (line === null) continue
    if (line.kind === "header") header = line
    if (line.kind === "event") events.push(line)
    if (line.kind === "command") accepted.push(line)
    if (line.kind === "rejection") rejected.push(line)
    if (line.kind === "checkpoint") checkpoints.push(line)
  }
  return Result.map(reader.end(), () => ({ header: header!, events, accepted, rejected, checkpoints }))
}

export interface CheckpointFinding {
  readonly seq: number
  readonly field: "place" | "chain" | "state"
}

export interface BundleReport {
  readonly ok: boolean
  readonly chain: ChainReport
  readonly checkpoints: {
    readonly checked: number
    /** Made by another fold: only their chain says something here. */
    readonly otherFold: number
    readonly findings: ReadonlyArray<CheckpointFinding>
  }
  /** Null where the log can't be read to its end. */
  readonly decisions: DecisionReport | null
  /** The first event that this release can't read. It says nothing against the log. */
  readonly unreadable: LogUnreadable | null
}

/** Checks all that a bundle says: that its log is whole, that it folds to its checkpoints, and how it was decided. */
export const verifyBundle = (bundle: Bundle, sha256: Sha256): BundleReport => {
  const { accepted, events, header, rejected } = bundle
  const check = new ChainCheck({ sha256, of: header })
  const follower = new Follower()
  const waiting = Map.groupBy(bundle.checkpoints, (checkpoint) => checkpoint.seq)
  const findings: Array<CheckpointFinding> = []
  let checked = 0
  let otherFold = 0
  for (const row of events) {
    check.push(row)
    follower.push(row)
    for (const checkpoint of waiting.get(row.seq) ?? []) {
      checked++
      if (checkpoint.chain !== row.chain) findings.push({ seq: row.seq, field: "chain" })
      if (checkpoint.foldVersion !== foldVersion) otherFold++
      else if (follower.state !== null && stateDigest(sha256, follower.state) !== checkpoint.stateDigest) {
        findings.push({ seq: row.seq, field: "state" })
      }
    }
    waiting.delete(row.seq)
  }
  for (const seq of waiting.keys()) findings.push({ seq, field: "place" })
  const chain = check.report(header)
  const decided = verifyDecisions(events, { accepted, rejected }, { sha256 })
  const decisions = Result.getOrElse(decided, () => null)
  const unreadable = follower.unreadable ?? (Result.isFailure(decided) ? decided.failure : null)
  const ok = chain.ok && findings.length === 0 && unreadable === null && decisions?.ok === true
  return { ok, chain, checkpoints: { checked, otherFold, findings }, decisions, unreadable }
}
