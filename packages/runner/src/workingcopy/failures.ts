import { FileError, type FileTrouble } from "@troupe/domain/runner/Files"

const byCode: Readonly<Record<string, FileTrouble>> = {
  ENOENT: { _tag: "NotFound" },
  ENOTDIR: { _tag: "NotADirectory" },
  EISDIR: { _tag: "NotAFile", found: "directory" },
  EEXIST: { _tag: "Exists" },
  ENOTEMPTY: { _tag: "NotEmpty" },
  ENOSPC: { _tag: "NoSpace" },
  EDQUOT: { _tag: "NoSpace" },
  EACCES: { _tag: "Denied", detail: "no permission" },
  EPERM: { _tag: "Denied", detail: "not permitted" },
  EROFS: { _tag: "Denied", detail: "read-only" },
  ENAMETOOLONG: { _tag: "BadPath", detail: "a name is too long" },
  EINVAL: { _tag: "BadPath", detail: "the system refuses it" },
  ELOOP: { _tag: "Stale", detail: "it became a symbolic link" },
  ESTALE: { _tag: "Stale", detail: "it went away" }
}

export const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "unknown"

/**
 * The system's messages name paths of the host, so only its code goes on. What is neither a refusal of ours nor an error
 * of the system is a bug and passes through.
 */
export const asFileError = (path: string, cause: unknown): FileError => {
  if (cause instanceof FileError) return cause
  const code = codeOf(cause)
  if (code === "unknown") throw cause
  return new FileError({ path, reason: byCode[code] ?? { _tag: "Failed", code } })
}

/** Work on the file system whose failures are refusals about `path`. */
export const about = <A>(path: string, work: () => A): A => {
  try {
    return work()
  } catch (cause) {
    throw asFileError(path, cause)
  }
}

export const refuse = (path: string, reason: FileTrouble): never => {
  throw new FileError({ path, reason })
}
