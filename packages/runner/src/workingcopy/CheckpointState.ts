import { CheckpointName } from "@troupe/domain/runner/Checkpoint"
import { Option, Schema } from "effect"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { codeOf } from "./failures.ts"
import type { RestoreProgress } from "./restore.ts"
import { checkpointOf, digestOfCheckpoint } from "./TreeLines.ts"

/** What is kept on disk beside a working copy, in a directory of ours. A process may be killed between any two of these. */

export interface Index {
  readonly checkpoint: string
  readonly path: string
}

const indexName = /^index-([0-9a-f]{64})$/

/** The index of the last capture. Where an older one is left beside it, either is true of the files that it names. */
export const lastIndex = (state: string): Index | null => {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const name = readdirSync(state).find((candidate) => indexName.test(candidate))
  return name === undefined ? null : { checkpoint: checkpointOf(name.slice("index-".length)), path: join(state, name) }
}

export const newIndex = (state: string): string => join(state, "index.new")

/** The new index takes the place of the last one. */
export const keepIndex = (state: string, checkpoint: string): void => {
  const kept = `index-${digestOfCheckpoint(checkpoint)}`
  renameSync(newIndex(state), join(state, kept))
  for (const name of readdirSync(state)) if (indexName.test(name) && name !== kept) rmSync(join(state, name))
}

const Progress = Schema.fromJsonString(
  Schema.Struct({ checkpoint: CheckpointName, lines: Schema.Int, isDone: Schema.Boolean })
)

const progressPath = (state: string) => join(state, "restore.json")

export const readProgress = (state: string): RestoreProgress | null => {
  try {
    return Option.getOrNull(Schema.decodeUnknownOption(Progress)(readFileSync(progressPath(state), "utf8")))
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null
    throw cause
  }
}

export const writeProgress = (state: string, progress: RestoreProgress): void => {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const path = progressPath(state)
  writeFileSync(`${path}.new`, Schema.encodeSync(Progress)(progress), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
