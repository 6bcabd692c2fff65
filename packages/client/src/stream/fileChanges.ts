import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import { connect } from "./connect.ts"
import { stream, type Streaming } from "./EventStream.ts"

export interface FileChange {
  readonly type: "added" | "changed" | "deleted" | "rescan"
  readonly path: string
}

/** What changes below a directory of a session's place. What happens between two connections is told by a `rescan`. */
export const fileChanges = (
  transport: Transport,
  sessionId: string,
  directory: string | undefined,
  options: StreamOptions = {}
): Streaming<FileChange> => {
  const asked = { path: path`/v1/sessions/${sessionId}/files/watch`, query: { path: directory } }
  return stream({
    transport,
    options,
    connect: async (signal, isFirst) => {
      const { received, response } = await connect(transport, asked, options, signal, isFirst)
      const items = async function* (): AsyncGenerator<FileChange, void, undefined> {
        if (!isFirst) yield { type: "rescan", path: directory ?? "" }
        for await (const { value } of received()) yield value as unknown as FileChange
      }
      return { items: items(), isOver: () => false, response }
    }
  })
}
