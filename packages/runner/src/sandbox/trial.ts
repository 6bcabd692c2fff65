import { fromUuid, prefixes, SandboxId, SessionId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { chmodSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Ending, SandboxBackend, SandboxSpec } from "./Sandbox.ts"
import { removeTree, SandboxHome } from "./SandboxHome.ts"

/** A directory where other accounts can be given theirs, gone at the end of the scope. */
export const temporaryState = (prefix: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), prefix))
      chmodSync(directory, 0o711)
      return directory
    }),
    (directory) => Effect.ignore(removeTree(directory))
  )

export const newSandboxId = () => SandboxId.make(fromUuid(prefixes.Sandbox, randomUUID()))
export const newSessionId = () => SessionId.make(fromUuid(prefixes.Session, randomUUID()))

/** What a sandbox is when nothing is said about it: small, and without network. */
export const plainSpec = (home: Pick<SandboxSpec, "home" | "mounts">, sandboxId: SandboxId): SandboxSpec => ({
  sandboxId,
  sessionId: newSessionId(),
  home: home.home,
  mounts: home.mounts,
  size: { cpus: 1, memoryMb: 256, diskMb: 64, processes: 64 },
  network: { _tag: "None" },
  variables: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  image: null
})

/** Makes a sandbox of the backend for real and runs `true` in it. Fails with whatever stood in the way. */
export const tryBackend = Effect.fnUntraced(function* (backend: Pick<SandboxBackend, "create">) {
  const directory = yield* temporaryState("troupe-probe-")
  const homes = yield* Effect.provide(Effect.service(SandboxHome), SandboxHome.layer(join(directory, "state")))
  const sandboxId = newSandboxId()
  const home = yield* homes.open(sandboxId)
  const sandbox = yield* Effect.acquireRelease(backend.create(plainSpec(home, sandboxId)), ({ destroy }) => destroy)
  const process = yield* sandbox.exec({ command: ["true"], timeoutMs: 20_000 })
  return (yield* process.ending) satisfies Ending
}, Effect.scoped)
