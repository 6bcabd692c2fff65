import type { JsonPatch } from "effect"
import { canonical } from "../CanonicalJson.ts"
import type { SessionEvent } from "../session/SessionEvent.ts"
import { foldVersion, type SessionState } from "../session/SessionState.ts"
import * as Snapshot from "../session/Snapshot.ts"
import * as Summary from "../session/Summary.ts"
import { diff, stateAt } from "./Fold.ts"

export interface StoredSnapshot {
  readonly version: number
  readonly foldVersion: number
  /** As it was written, or the state as JSON. */
  readonly state: string
}

/** Where something that was derived from a log says something else than the log. */
export type ProjectionFinding =
  | { readonly _tag: "SnapshotUnreadable"; readonly version: number }
  /** It claims more events than there are. */
  | { readonly _tag: "SnapshotAhead"; readonly version: number }
  /** The operations lead from the snapshot to what the log folds to. */
  | { readonly _tag: "SnapshotDiffers"; readonly version: number; readonly patch: JsonPatch.JsonPatch }
  | { readonly _tag: "SummaryMissing" }
  | { readonly _tag: "SummaryUnfounded" }
  | { readonly _tag: "SummaryDiffers"; readonly fields: ReadonlyArray<string> }

export interface ProjectionReport {
  readonly ok: boolean
  readonly findings: ReadonlyArray<ProjectionFinding>
}

const parse = (text: string): SessionState | undefined => {
  try {
    const value: unknown = JSON.parse(Snapshot.jsonIn(text))
    return typeof value === "object" && value !== null && "_tag" in value ? (value as SessionState) : undefined
  } catch {
    return undefined
  }
}

const snapshotFinding = (
  events: ReadonlyArray<SessionEvent>,
  { state, version }: StoredSnapshot
): ProjectionFinding | undefined => {
  if (version > events.length) return { _tag: "SnapshotAhead", version }
  const stored = parse(state)
  if (stored === undefined) return { _tag: "SnapshotUnreadable", version }
  const patch = diff(stored, stateAt(events, version))
  return patch.length === 0 ? undefined : { _tag: "SnapshotDiffers", version, patch }
}

const summaryFinding = (
  events: ReadonlyArray<SessionEvent>,
  row: Summary.SummaryRow | null
): ProjectionFinding | undefined => {
  const state = stateAt(events, events.length)
  if (state._tag !== "Open") return row === null ? undefined : { _tag: "SummaryUnfounded" }
  if (row === null) return { _tag: "SummaryMissing" }
  const derived = Summary.summarize(state, row.updatedAt)
  if (Summary.equals(row, derived)) return undefined
  const keys = Object.keys({ ...derived, ...row }) as Array<keyof Summary.SummaryRow>
  const fields = keys.filter((key) => canonical(row[key]) !== canonical(derived[key]))
  return { _tag: "SummaryDiffers", fields }
}

/**
 * Says whether what was derived from a log and stored beside it is what the log leads to. Leave out what was not read;
 * null is a row that is not there. Snapshots of another fold are not looked at: nobody reads them.
 */
export const verifyProjection = (
  events: ReadonlyArray<SessionEvent>,
  stored: { readonly snapshot?: StoredSnapshot | null; readonly summary?: Summary.SummaryRow | null }
): ProjectionReport => {
  const findings: Array<ProjectionFinding> = []
  const { snapshot, summary } = stored
  if (snapshot != null && snapshot.foldVersion === foldVersion) {
    const finding = snapshotFinding(events, snapshot)
    if (finding !== undefined) findings.push(finding)
  }
  if (summary !== undefined) {
    const finding = summaryFinding(events, summary)
    if (finding !== undefined) findings.push(finding)
  }
  return { ok: findings.length === 0, findings }
}
