import { Command } from "effect/cli"
import { listCommand } from "../app/listCommand.ts"
import { ago } from "../app/time.ts"
import { download } from "./files/download.ts"
import { remove } from "./files/delete.ts"
import { promote } from "./files/promote.ts"
import { upload } from "./files/upload.ts"

const list = listCommand({
  about: "Lists files, the newest first",
  items: ({ files }) => files.list({ limit: 100 }),
  headings: ["FILE", "NAME", "TYPE", "BYTES", "CREATED", "OF SESSION"],
  row: ({ created_at, filename, id, mime_type, scope, size_bytes }, now) => [
    id,
    filename,
    mime_type,
    size_bytes,
    ago(created_at, now),
    scope?.id ?? null
  ],
  none: "There is no file."
})

export const files = Command.make("files").pipe(
  Command.withDescription("What sessions are given, and what they made"),
  Command.withSubcommands([list, upload, promote, download, remove])
)
