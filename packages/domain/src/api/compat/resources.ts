import { Result, Schema } from "effect"
import { FileId } from "../../Ids.ts"
import type { JsonObject } from "../../Json.ts"
import { fileSpecOf } from "../../session/FileResource.ts"
import type { Resource } from "../../session/Opening.ts"
import { type ApiFailure, attempt, invalid, refuse } from "../ApiError.ts"
import { timeOf } from "../Page.ts"
import { describe } from "../problems.ts"
import { mountPathOf, refuseOverlap } from "./mountPath.ts"

/** A file that a session is to be given. */
export interface WantedFile {
  readonly fileId: FileId
  readonly mountPath: string
}

const FileIn = Schema.Struct({
  type: Schema.Literal("file"),
  file_id: FileId,
  mount_path: Schema.optionalKey(Schema.NullOr(Schema.String))
})
const decode = Schema.decodeUnknownResult(FileIn)

/** Parts of the contract that this installation does not have yet are refused rather than kept and ignored. */
const wanted = (raw: JsonObject, at: string): WantedFile => {
  const { type } = raw
  if (type === "github_repository" || type === "memory_store") {
    refuse(`${at}type: ${type} resources are not supported yet`)
  }
  if (type !== "file") refuse(`${at}type: takes file, github_repository, memory_store`)
  const result = decode(raw, { errors: "all", onExcessProperty: "error" })
  if (Result.isFailure(result)) throw invalid(describe(result.failure, at.slice(0, -1)))
  const { file_id: fileId, mount_path } = result.success
  return { fileId, mountPath: mountPathOf(mount_path, fileId, at) }
}

/** The files that a new session is to begin with. */
export const wantedFiles = (list: ReadonlyArray<JsonObject>): Result.Result<ReadonlyArray<WantedFile>, ApiFailure> =>
  attempt(() => {
    const paths: Array<string> = []
    return list.map((raw, index) => {
      const at = `resources.${index}.`
      const file = wanted(raw, at)
      refuseOverlap(file.mountPath, paths, at)
      paths.push(file.mountPath)
      return file
    })
  })

/** A file that a session is to be given beside those at the paths that are taken. */
export const wantedFile = (raw: JsonObject, taken: ReadonlyArray<string>): Result.Result<WantedFile, ApiFailure> =>
  attempt(() => {
    const file = wanted(raw, "")
    refuseOverlap(file.mountPath, taken, "")
    return file
  })

/** A resource as clients see it. */
export const resourceOut = (resource: Resource): JsonObject => {
  const { resourceId: id, spec, type } = resource
  const file = fileSpecOf(resource)
  if (file === null) return { ...spec, id, type }
  const at = timeOf(file.added_at)
  return { id, type, file_id: file.file_id, mount_path: file.mount_path, created_at: at, updated_at: at }
}
