import type { SessionCreate, Troupe } from "@troupe/client"
import { basename } from "node:path"
import { uploadFile } from "../app/upload.ts"
import { mebibytes, pack } from "./pack.ts"

type Given = NonNullable<SessionCreate["resources"]>

const archive = "files.tar.gz"

/** The session has its own copy by then. */
const keptSeconds = 3_600

/** Uploads a directory's files, for a session that is to begin with them. */
export const giveDirectory = async (troupe: Troupe, directory: string, say: (text: string) => void): Promise<Given> => {
  using packed = await pack(directory)
  if (packed === null) {
    say(`${directory} has no files to be given to the agent.`)
    return []
  }
  const { bytes, file, files, hasHistory } = packed
  const what = hasHistory ? `a clone of ${basename(directory)} with what is not committed` : "a copy"
  say(`The agent gets ${what}: ${files} file${files === 1 ? "" : "s"}, ${mebibytes(bytes)} packed.`)
  const name = `${basename(directory) || "root"}.tar.gz`
  const { id } = await uploadFile(troupe, {
    path: file,
    name,
    type: "application/gzip",
    expiresInSeconds: keptSeconds
  })
  return [{ type: "file", file_id: id, mount_path: archive, troupe: { unpack: true } }]
}
