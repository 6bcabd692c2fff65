import { fileSpecOf, uploadsPath } from "@troupe/domain/session/FileResource"
import type { Resource } from "@troupe/domain/session/Opening"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { PreparationFailed } from "../environment/PreparationFailed.ts"
import { runStep } from "../environment/runStep.ts"
import { places, type Sandbox, type SandboxBackend } from "../sandbox/Sandbox.ts"
import type { Home } from "../sandbox/SandboxHome.ts"

const step = "files"
const timeoutMs = 600_000

/** Where below its uploads the archive is with whose content a session's working copy begins; null where there is none. */
export const archiveIn = (resources: ReadonlyArray<Resource>): string | null => {
  const archive = resources.map(fileSpecOf).find((file) => file?.unpack === true)
  return archive == null ? null : archive.mount_path.slice(uploadsPath.length + 1)
}

interface Unpacking {
  readonly home: Home
  readonly backend: Pick<SandboxBackend, "isolation">
  readonly sandbox: Sandbox
  readonly archive: string
}

/** Unpacks what a session was given into its working copy. Somebody made it who is not us: only programs in the sandbox read it. */
export const unpackArchive = Effect.fnUntraced(function* ({ archive, backend, home, sandbox }: Unpacking) {
  const file = join(home.uploads, archive)
  if (!existsSync(file)) {
    const detail = `the files that the session begins with (${archive}) can't be had`
    return yield* new PreparationFailed({ step, reason: { _tag: "Storage", detail } })
  }
  const seen = backend.isolation === "none" ? file : `${places.uploads}/${archive}`
  yield* runStep(sandbox, step, { command: ["tar", "-xzf", seen], timeoutMs }, () => Effect.void)
})
