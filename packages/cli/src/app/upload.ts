import type { File, Troupe } from "@troupe/client"
import { openAsBlob } from "node:fs"

interface Uploading {
  readonly path: string
  readonly name: string
  /** As which media type it is kept, where its content does not say. */
  readonly type?: string
  readonly expiresInSeconds?: number
}

/** Uploads a file of this host, as it is read: it need not fit in memory. */
export const uploadFile = async (troupe: Troupe, { expiresInSeconds, name, path, type }: Uploading): Promise<File> => {
  const content = await openAsBlob(path)
  const { url } = await troupe.uploads.create({
    filename: name,
    size_bytes: content.size,
    ...(type === undefined ? {} : { mime_type: type }),
    ...(expiresInSeconds === undefined ? {} : { expires_in_seconds: expiresInSeconds })
  })
  return await troupe.uploads.send(url, content)
}
