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
  /** An archive (tar, as it is or compressed by gzip) with whose content the working copy begins. */
  readonly unpack: boolean
}

const FileIn = Schema.Struct({
  type: Schema.Literal("file"),
  file_id: FileId,
  mount_path: Schema.optionalKey(Schema.NullOr(Schema.String)),
  troupe: Schema.optionalKey(Schema.Struct({ unpack: Schema.Boolean }))
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
  const { file_id: fileId, mount_path, troupe } = result.success
  return { fileId, mountPath: mountPathOf(mount_path, fileId, at), unpack: troupe?.unpack === true }
}

/** The files that a new session is to begin with. */
export const wantedFiles = (list: ReadonlyArray<JsonObject>): Result.Result<ReadonlyArray<WantedFile>, ApiFailure> =>
  attempt(() => {
    const paths: Array<string> = []
    let hasArchive = false
    return list.map((raw, index) => {
      const at = `resources.${index}.`
      const file = wanted(raw, at)
      refuseOverlap(file.mountPath, paths, at)
      if (file.unpack && hasArchive) refuse(`${at}troupe.unpack: the working copy begins with one archive`)
      hasArchive ||= file.unpack
      paths.push(file.mountPath)
      return file
    })
  })

/** A file that a session is to be given beside those at the paths that are taken. */
export const wantedFile = (raw: JsonObject, taken: ReadonlyArray<string>): Result.Result<WantedFile, ApiFailure> =>
  attempt(() => {
    const file = wanted(raw, "")
    refuseOverlap(file.mountPath, taken, "")
    if (file.unpack) refuse("troupe.unpack: is for sessions that begin")
    return file
  })

/** A resource as clients see it. */
export const resourceOut = (resource: Resource): JsonObject => {
  const { resourceId: id, spec, type } = resource
  const file = fileSpecOf(resource)
  if (file === null) return { ...spec, id, type }
  const at = timeOf(file.added_at)
  const own = file.unpack === true ? { troupe: { unpack: true } } : {}
  return { id, type, file_id: file.file_id, mount_path: file.mount_path, created_at: at, updated_at: at, ...own }
}
