import { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { File, FileDeleted, FileListQuery } from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Large files take longer than other requests. */
const timeout = 600_000

export interface FileUpload {
  readonly name: string
  readonly content: string | Uint8Array | Blob
  /** As which media type it is kept, where its content does not say. */
  readonly type?: string | undefined
  readonly expires_in_seconds?: number | undefined
}

const blobOf = ({ content, type }: FileUpload): Blob => {
  if (content instanceof Blob && type === undefined) return content
  // Copied, since bytes may lie in memory that is shared.
  const part = content instanceof Uint8Array ? new Uint8Array(content) : content
  return new Blob([part], type === undefined ? {} : { type })
}

/** What sessions are given, and what they made. */
export class Files extends Resource {
  upload(file: FileUpload, options?: CallOptions): Call<File> {
    const body = new FormData()
    body.append("file", blobOf(file), file.name)
    if (file.expires_in_seconds !== undefined) body.append("expires_in_seconds", String(file.expires_in_seconds))
    return this.call({ method: "POST", path: "/v1/files", body }, { timeout, ...options })
  }

  list(query?: FileListQuery, options?: CallOptions): Pages<File> {
    return list(this.transport, "/v1/files", query, options)
  }

  retrieve(fileId: string, options?: CallOptions): Call<File> {
    return this.get(path`/v1/files/${fileId}`, {}, options)
  }

  /** The content, to be read as text, as bytes or as a stream. */
  download(fileId: string, options?: CallOptions): Call<Response> {
    const asked = { method: "GET", path: path`/v1/files/${fileId}/content`, accept: "*/*" } as const
    return new Call(this.transport.send(asked, options, (response) => Promise.resolve(response)))
  }

  delete(fileId: string, options?: CallOptions): Call<FileDeleted> {
    return this.remove(path`/v1/files/${fileId}`, options)
  }
}
