import { Sha256Hex } from "@troupe/domain/runner/Checkpoint"
import { Option, Schema } from "effect"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

/** What is known of files by their paths: in which version each had which content. */
const KnownFiles = Schema.fromJsonString(
  Schema.Record(Schema.String, Schema.Struct({ version: Schema.String, sha256: Sha256Hex }))
)
export type KnownFiles = typeof KnownFiles.Type

/** What can't be read is not known. */
export const recall = (memory: string): KnownFiles =>
  existsSync(memory)
    ? Option.getOrElse(Schema.decodeUnknownOption(KnownFiles)(readFileSync(memory, "utf8")), () => ({}))
    : {}

export const remember = (memory: string, known: KnownFiles): void => {
  mkdirSync(dirname(memory), { recursive: true, mode: 0o700 })
  writeFileSync(`${memory}.new`, Schema.encodeSync(KnownFiles)(known), { mode: 0o600 })
  renameSync(`${memory}.new`, memory)
}
