import type { Call } from "../http/Call.ts"
import type { CallOptions } from "../options.ts"
import type { File, Upload, UploadCreate } from "../types/api.ts"
import { Resource } from "./Resource.ts"

/** Large files take longer than other requests. */
const timeout = 600_000

const bodyOf = (content: string | Uint8Array | Blob): Blob =>
  // Copied, since bytes may lie in memory that is shared.
  content instanceof Blob ? content : new Blob([typeof content === "string" ? content : new Uint8Array(content)])

/** Addresses to which somebody without a key may send one file. */
export class Uploads extends Resource {
  create(upload: UploadCreate, options?: CallOptions): Call<Upload> {
    return this.post("/v1/uploads", upload, options)
  }

  /** Sends the file that was promised; no key is needed for that. Sent again, the same content gets the same answer. */
  send(url: string, content: string | Uint8Array | Blob, options?: CallOptions): Call<File> {
    const query = { grant: url.slice(url.lastIndexOf("=") + 1) }
    const asked = { method: "PUT", path: "/v1/uploads", query, body: bodyOf(content) } as const
    return this.call({ ...asked, contentType: "application/octet-stream" }, { timeout, ...options })
  }
}
