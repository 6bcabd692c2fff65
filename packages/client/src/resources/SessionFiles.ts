import { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions, StreamOptions } from "../options.ts"
import type { Streaming } from "../stream/EventStream.ts"
import { type FileChange, fileChanges } from "../stream/fileChanges.ts"
import type { File, FileEntry, FileEntryDeleted, FileEntryListQuery } from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

export interface WriteOptions extends CallOptions {
  /** Only if the file has this version still; null: only if there is none. */
  readonly version?: string | null | undefined
}

const conditionOf = (version: WriteOptions["version"]): Readonly<Record<string, string>> =>
  version === undefined ? {} : version === null ? { "if-none-match": "*" } : { "if-match": `"${version}"` }

/** Files where a session works. */
export class SessionFiles extends Resource {
  list(sessionId: string, query?: FileEntryListQuery, options?: CallOptions): Pages<FileEntry> {
    return list(this.transport, path`/v1/sessions/${sessionId}/files`, query, options)
  }

  /** The content, to be read as text, as bytes or as a stream. */
  read(sessionId: string, file: string, options?: CallOptions): Call<Response> {
    const query = { path: file }
    const asked = { method: "GET", path: path`/v1/sessions/${sessionId}/files/content`, query, accept: "*/*" } as const
    return new Call(this.transport.send(asked, options, (response) => Promise.resolve(response)))
  }

  write(sessionId: string, file: string, content: string | Uint8Array, options: WriteOptions = {}): Call<FileEntry> {
    const { version, ...rest } = options
    // Copied, since bytes may lie in memory that is shared.
    const body = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content)
    return this.call(
      {
        method: "PUT",
        path: path`/v1/sessions/${sessionId}/files/content`,
        query: { path: file },
        body,
        contentType: "application/octet-stream"
      },
      { ...rest, headers: { ...conditionOf(version), ...rest.headers } }
    )
  }

  delete(
    sessionId: string,
    file: string,
    { recursive, ...options }: CallOptions & { readonly recursive?: boolean | undefined } = {}
  ): Call<FileEntryDeleted> {
    const query = { path: file, recursive }
    return this.call({ method: "DELETE", path: path`/v1/sessions/${sessionId}/files`, query }, options)
  }

  /** Makes a file of the session of what is there now: `filename` says what it is called then. */
  promote(
    sessionId: string,
    file: string,
    { filename, ...options }: CallOptions & { readonly filename?: string | undefined } = {}
  ): Call<File> {
    const body = { path: file, ...(filename === undefined ? {} : { filename }) }
    return this.post(path`/v1/sessions/${sessionId}/files/promote`, body, options)
  }

  /** What changes below a directory, as it does. `rescan`: some changes were missed, so list it again. */
  watch(sessionId: string, directory?: string, options?: StreamOptions): Streaming<FileChange> {
    return fileChanges(this.transport, sessionId, directory, options)
  }
}
