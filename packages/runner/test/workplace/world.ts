import type { FileId, SessionId, WorkspaceId } from "@troupe/domain/Ids"
import { fromUuid } from "@troupe/domain/Ids"
import type { EnvironmentSnapshot } from "@troupe/domain/session/Opening"
import { Effect, Layer, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { EgressProxy } from "../../src/egress/EgressProxy.ts"
import { CredentialInjector } from "../../src/egress/CredentialInjector.ts"
import { Outbound } from "../../src/egress/Outbound.ts"
import { OwnServices } from "../../src/egress/OwnServices.ts"
import { Resolver } from "../../src/egress/Resolver.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { BlobClient, sha256 } from "../../src/link/BlobClient.ts"
import { BlobError } from "../../src/link/BlobError.ts"
import { FileClient } from "../../src/link/FileClient.ts"
import { ManagerSettings } from "../../src/environment/ManagerSettings.ts"
import { Preparations } from "../../src/environment/Preparations.ts"
import { Profiles } from "../../src/environment/profiles/Profiles.ts"
import { Backends } from "../../src/sandbox/Backends.ts"
import { finish, start } from "../../src/sandbox/conformance/Bench.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { HostDirectories } from "../../src/workingcopy/HostDirectories.ts"
import type { Place } from "../../src/workplace/Place.ts"
import { type Facts, Places, type PlacesOptions } from "../../src/workplace/Places.ts"

/** Blobs behind a door that one ticket opens. */
export const storedBlobs = (ticket: string) => {
  const blobs = new Map<string, Uint8Array>()
  const admitted = <A>(given: string, use: () => A) =>
    given === ticket
      ? Effect.sync(use)
      : Effect.fail(new BlobError({ sha256: null, reason: "refused", detail: "not with this ticket" }))
  const client = BlobClient.of({
    exists: (given, digest) => admitted(given, () => blobs.has(digest)),
    missing: (given, digests) => admitted(given, () => digests.filter((digest) => !blobs.has(digest))),
    put: (given, bytes) =>
      admitted(given, () => {
        const digest = sha256(bytes)
        blobs.set(digest, bytes.slice())
        return digest
      }),
    get: (given, digest) =>
      Effect.flatMap(
        admitted(given, () => blobs.get(digest)),
        (bytes) =>
          bytes === undefined
            ? Effect.fail(new BlobError({ sha256: digest, reason: "missing", detail: "" }))
            : Effect.succeed(bytes)
      )
  })
  /** What was told of, in its order. */
  const made: Array<{ readonly path: string; readonly text: string }> = []
  const files = FileClient.of({
    get: (given, { sha256: digest }, into) =>
      Effect.flatMap(
        admitted(given, () => blobs.get(digest)),
        (bytes) =>
          bytes === undefined
            ? Effect.fail(new BlobError({ sha256: digest, reason: "missing", detail: "" }))
            : Effect.sync(() => writeFileSync(into, bytes))
      ),
    tell: (given, { path }, content) =>
      Effect.gen(function* () {
        const bytes = Buffer.concat(yield* Effect.orDie(Stream.runCollect(content)))
        yield* admitted(given, () => made.push({ path, text: bytes.toString() }))
        return fromUuid("file", randomUUID()) as FileId
      })
  })
  return { blobs, client, files, made }
}

export type StoredBlobs = ReturnType<typeof storedBlobs>

export const ticket = "the ticket"

/** The places of a runner whose state is in `directory`; closing the scope is the end of its process. */
export const runnerAt = (
  directory: string,
  blobs: StoredBlobs,
  options: {
    readonly roots?: ReadonlyArray<string>
    readonly profiles?: Parameters<typeof Profiles.layer>[0]
    readonly times?: Pick<PlacesOptions, "idleMs" | "graceMs">
  } = {}
) =>
  Places.layer({
    state: directory,
    backend: "bubblewrap",
    hostVariables: { HOST_NAME: "of the host" },
    ...(options.times ?? { idleMs: 60_000 })
  }).pipe(
    Layer.provideMerge(
      HostDirectories.layer({
        roots: options.roots ?? [],
        hidden: [directory],
        memory: join(directory, "directories.json")
      })
    ),
    Layer.provideMerge(Preparations.layer({ directory: join(directory, "environments"), sockets: directory })),
    Layer.provideMerge(SandboxHome.layer(join(directory, "sandboxes"))),
    Layer.provide([EgressProxy.layer(), ManagerSettings.layer(), Profiles.layer(options.profiles)]),
    Layer.provide(
      Layer.mergeAll(
        Outbound.layer([]).pipe(Layer.provide([Resolver.layer(), OwnServices.layer()])),
        TrustStore.layer(),
        CredentialInjector.layer,
        Backends.layer({}),
        Layer.succeed(BlobClient, blobs.client),
        Layer.succeed(FileClient, blobs.files)
      )
    )
  )

export const newFacts = (environment: Readonly<Record<string, unknown>> | null = null): Facts => ({
  sessionId: fromUuid("sesn", randomUUID()) as SessionId,
  workspaceId: fromUuid("wrkspc", randomUUID()) as WorkspaceId,
  environment:
    environment === null
      ? null
      : ({
          environmentId: fromUuid("env", randomUUID()),
          digest: "0".repeat(64),
          name: "test",
          config: environment
        } as unknown as EnvironmentSnapshot),
  resources: [],
  ticket,
  mcpHosts: [],
  confinement: null
})

/** What a program says at a place. */
export const said = (place: Place, script: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const sandbox = yield* place.sandbox(() => Effect.void)
      const { stderr, stdout } = yield* Effect.flatMap(start(sandbox, script), finish)
      return stdout + stderr
    })
  )
