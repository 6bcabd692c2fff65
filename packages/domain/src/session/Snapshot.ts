import type { Sha256 } from "../log/Chain.ts"
import { foldVersion, type SessionState } from "./SessionState.ts"

const proofLength = 64

const prove = (sha256: Sha256, version: number, json: string): string => sha256(`${foldVersion} ${version} ${json}`)

/** What a session folded to at a version, as a snapshot keeps it: its JSON, behind a digest that tells it from all else. */
export const write = (sha256: Sha256, version: number, state: SessionState): string => {
  const json = JSON.stringify(state)
  return `${prove(sha256, version, json)} ${json}`
}

/** The JSON in a snapshot, proven or not; one of a release that wrote no digest is nothing but that. */
export const jsonIn = (stored: string): string => stored.replace(/^[0-9a-f]{64} /, "")

/** The state in a snapshot at a version; undefined where it is not what was written there. */
export const read = (sha256: Sha256, version: number, stored: string): SessionState | undefined => {
  const json = stored.slice(proofLength + 1)
  if (stored.slice(0, proofLength + 1) !== `${prove(sha256, version, json)} `) return undefined
  return JSON.parse(json) as SessionState
}
