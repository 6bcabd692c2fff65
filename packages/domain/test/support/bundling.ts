import { writeBundle } from "../../src/replay/Bundle.ts"
import { sessionId } from "../session/make.ts"
import { sha256, type Recording } from "./recording.ts"

/** The lines of a recording's bundle. */
export const bundled = ({ commands, head, rejections, rows }: Recording): ReadonlyArray<string> => [
  ...writeBundle(
    {
      header: {
        stream: "session",
        streamId: sessionId(),
        workspaceId: rows[0]!.workspaceId,
        version: head.version,
        chain: head.chain,
        exportedAt: 1_800_000_100_000
      },
      events: rows,
      accepted: commands,
      rejected: rejections
    },
    sha256
  )
]
