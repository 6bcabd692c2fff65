import { Result } from "effect"
import { canonical } from "../CanonicalJson.ts"
import type { Sha256 } from "../log/Chain.ts"
import type { CommandMark, Recorded } from "../log/Envelope.ts"
import type { LogUnreadable } from "../log/EventCodec.ts"
import * as Codec from "../session/Codec.ts"
import * as CommandBody from "../session/CommandBody.ts"
import { decide } from "../session/decide.ts"
import { evolve } from "../session/evolve.ts"
import { inputIds, refusedByLog, type KnownLog } from "../session/logRules.ts"
import { redact } from "../session/Redaction.ts"
import type { Command } from "../session/SessionCommand.ts"
import type { SessionEvent } from "../session/SessionEvent.ts"
import { initial, type SessionState } from "../session/SessionState.ts"

/** A command that was accepted, and the seq of the first event that it led to. */
export interface AcceptedCommand extends CommandMark {
  readonly seq: number
}

/** A command that was refused, why (as JSON), and the version that the session was at. */
export interface RejectedCommand extends CommandMark {
  readonly version: number
  readonly reason: string
}

/** Where today's rules and the log part. */
export type DecisionFinding = { readonly seq: number; readonly commandId: string } & (
  | { readonly _tag: "CommandUnreadable"; readonly detail: string }
  /** What is kept is not the body that was answered. */
  | { readonly _tag: "DigestDiffers" }
  | { readonly _tag: "NowRefused"; readonly reason: string }
  | { readonly _tag: "NowAccepted"; readonly events: ReadonlyArray<string> }
  | { readonly _tag: "OtherReason"; readonly stored: string; readonly now: string }
  /** The first event that is another one; null where there is none. */
  | { readonly _tag: "OtherEvent"; readonly stored: SessionEvent | null; readonly now: SessionEvent | null }
  /** No command of the log begins there, or ends there. */
  | { readonly _tag: "Misplaced" }
  /** Today's code can't decide it at all. */
  | { readonly _tag: "Broken"; readonly detail: string }
)

export interface DecisionReport {
  readonly ok: boolean
  readonly accepted: number
  readonly rejected: number
  /** Decisions that agree in all but content which a redaction took. */
  readonly redacted: number
  readonly findings: ReadonlyArray<DecisionFinding>
  readonly found: number
}

export interface DecisionOptions {
  readonly sha256: Sha256
  readonly findingsMax?: number
}

const decideSafely = (state: SessionState, command: Command, log: KnownLog) => {
  try {
    const decided = Result.mapError(decide(state, command), ({ reason }) => reason)
    const refused = Result.isSuccess(decided) ? refusedByLog(command.body, log) : undefined
    return refused === undefined ? decided : Result.fail(refused)
  } catch (defect) {
    return defect instanceof Error ? defect.message : String(defect)
  }
}

const same = (a: SessionEvent | undefined, b: SessionEvent | undefined): boolean =>
  a !== undefined && b !== undefined && (a === b || canonical(a) === canonical(b))

const canonicalOf = (text: string): string | null => {
  try {
    return canonical(JSON.parse(text))
  } catch {
    return null
  }
}

class Check {
  readonly findings: Array<DecisionFinding> = []
  readonly #options: DecisionOptions
  accepted = 0
  rejected = 0
  redacted = 0
  found = 0
  /** A redaction lies before this place: states and commands may lack content. */
  blanked = false
  readonly #inputs = new Set<string>()

  constructor(options: DecisionOptions) {
    this.#options = options
  }

  find(finding: DecisionFinding): void {
    this.found++
    if (this.findings.length < (this.#options.findingsMax ?? 100)) this.findings.push(finding)
  }

  /** `intact`: no event of the command was redacted, so what is kept of it still has all of its body. */
  accept(mark: AcceptedCommand, state: SessionState, stored: ReadonlyArray<SessionEvent>, intact: boolean): void {
    this.accepted++
    const { commandId, seq } = mark
    const again = this.#decide(mark, { seq, version: seq - 1 }, state, stored, intact)
    if (again === undefined) return
    const { decided } = again
    for (const inputId of again.inputIds) this.#inputs.add(inputId)
    if (Result.isFailure(decided)) {
      return this.find({ _tag: "NowRefused", seq, commandId, reason: canonical(decided.failure) })
    }
    const now = decided.success
    const length = Math.max(now.length, stored.length)
    let blanks = false
    for (let i = 0; i < length; i++) {
      const [a, b] = [stored[i], now[i]]
      if (same(a, b)) continue
      if (this.blanked && a !== undefined && b !== undefined && same(redact(a), redact(b))) blanks = true
      else return this.find({ _tag: "OtherEvent", seq: seq + i, commandId, stored: a ?? null, now: b ?? null })
    }
    if (blanks) this.redacted++
  }

  reject(mark: RejectedCommand, state: SessionState): void {
    this.rejected++
    const { commandId, version: seq } = mark
    const decided = this.#decide(mark, { seq, version: seq }, state, [], true)?.decided
    if (decided === undefined) return
    if (Result.isSuccess(decided)) {
      const events = decided.success.map((event) => event._tag)
      return this.find({ _tag: "NowAccepted", seq, commandId, events })
    }
    const now = canonical(decided.failure)
    const stored = canonicalOf(mark.reason)
    if (stored === null) {
      return this.find({ _tag: "CommandUnreadable", seq, commandId, detail: "why it was refused is not JSON" })
    }
    if (now !== stored) this.find({ _tag: "OtherReason", seq, commandId, stored, now })
  }

  /** Decides a command again, on the state that it met and on what the log had taken by then. */
  #decide(
    mark: CommandMark,
    { seq, version }: { readonly seq: number; readonly version: number },
    state: SessionState,
    stored: ReadonlyArray<SessionEvent>,
    intact: boolean
  ) {
    const { body, commandId, digest } = mark
    const command = CommandBody.expand(commandId, body, stored)
    if (Result.isFailure(command)) {
      this.find({ _tag: "CommandUnreadable", seq, commandId, detail: command.failure.detail })
      return undefined
    }
    if (intact && CommandBody.digest(this.#options.sha256, command.success) !== digest) {
      this.find({ _tag: "DigestDiffers", seq, commandId })
    }
    const log = { version, hasInput: (inputId: string) => this.#inputs.has(inputId) }
    const decided = decideSafely(state, command.success, log)
    if (typeof decided !== "string") return { decided, inputIds: inputIds(command.success.body) }
    this.find({ _tag: "Broken", seq, commandId, detail: decided })
    return undefined
  }
}

/**
 * Decides every stored command again, on the state that it met, and compares with what the log holds. Fails only where the
 * log can't be read.
 */
export const verifyDecisions = (
  rows: ReadonlyArray<Recorded>,
  commands: { readonly accepted: Iterable<AcceptedCommand>; readonly rejected: Iterable<RejectedCommand> },
  options: DecisionOptions
): Result.Result<DecisionReport, LogUnreadable> => {
  const marks = new Map([...commands.accepted].map((mark) => [mark.seq, mark]))
  const refusals = Map.groupBy(commands.rejected, (mark) => mark.version)
  const check = new Check(options)
  let state: SessionState = initial

  for (let at = 0; ;) {
    for (const refusal of refusals.get(at) ?? []) check.reject(refusal, state)
    refusals.delete(at)
    if (at === rows.length) break
    const { causationId } = rows[at]!
    const before = state
    const first = at
    const mark = marks.get(first + 1)
    marks.delete(first + 1)
    const events: Array<SessionEvent> = []
    let intact = true
    do {
      const row = rows[at]!
      const event = Codec.decodeStrict(row)
      if (Result.isFailure(event)) return Result.fail(event.failure)
      if (row.salt === null) {
        intact = false
        check.blanked = true
      }
      events.push(event.success)
      state = evolve(state, event.success)
      at++
    } while (rows[at]?.causationId === causationId)
    if (mark !== undefined) check.accept(mark, before, events, intact)
  }
  for (const { commandId, seq } of marks.values()) check.find({ _tag: "Misplaced", seq, commandId })
  for (const { commandId, version } of [...refusals.values()].flat()) {
    check.find({ _tag: "Misplaced", seq: version, commandId })
  }
  const { accepted, findings, found, redacted, rejected } = check
  return Result.succeed({ ok: found === 0, accepted, rejected, redacted, findings, found })
}
