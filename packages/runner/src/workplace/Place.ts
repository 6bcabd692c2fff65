import type { FileId } from "@troupe/domain/Ids"
import type { Resource } from "@troupe/domain/session/Opening"
import type { EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { sizeOf } from "@troupe/domain/environment/EnvironmentConfig"
import type { BlobRef } from "@troupe/domain/session/Content"
import type { Changes } from "@troupe/domain/session/Changes"
import { type CheckpointError, type TreeDiff } from "@troupe/domain/runner/Checkpoint"
import type { FileError } from "@troupe/domain/runner/Files"
import { Effect, type Scope, Semaphore } from "effect"
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import type { EgressProxy } from "../egress/EgressProxy.ts"
import type { EgressProxyError } from "../egress/ProxyServer.ts"
import type { EgressRecord } from "../egress/EgressRecord.ts"
import { bundleTarget } from "../egress/sandboxVariables.ts"
import type { PreparationFailed } from "../environment/PreparationFailed.ts"
import type { Prepared, Preparations } from "../environment/Preparations.ts"
import type { BlobClient } from "../link/BlobClient.ts"
import type { FileClient } from "../link/FileClient.ts"
import {
  type Mount,
  places,
  type Sandbox,
  type SandboxBackend,
  type SandboxError,
  type SandboxSpec
} from "../sandbox/Sandbox.ts"
import type { Home } from "../sandbox/SandboxHome.ts"
import { makeToolPlace, spillTarget } from "../tools/makeToolPlace.ts"
import { makeSpillDirectory } from "../tools/SpillDirectory.ts"
import { BlobUnavailable, type ToolPlace } from "../tools/ToolPlace.ts"
import type { Captured } from "../workingcopy/capture.ts"
import { changesOf } from "../workingcopy/changes.ts"
import * as Checkpoints from "../workingcopy/Checkpoints.ts"
import type { Collection } from "../workingcopy/collect.ts"
import type { Lacking } from "../workingcopy/materialise.ts"
import * as MountTable from "../workingcopy/MountTable.ts"
import { blobsOf } from "./blobs.ts"
import { makePlaceFiles } from "./placeFiles.ts"
import type { PlaceRecord, PlaceUnwritable } from "./PlaceRecord.ts"
import type { Rest } from "./rest.ts"
import * as PlaceSandbox from "./PlaceSandbox.ts"
import { confined, variablesOf } from "./placeSettings.ts"
import * as Terminals from "./Terminals.ts"
import { archiveIn, unpackArchive } from "./unpackArchive.ts"

export interface PlaceOptions {
  readonly record: PlaceRecord
  readonly save: (record: PlaceRecord) => Effect.Effect<void, PlaceUnwritable>
  /** How it rests, as it was noted down last. */
  readonly rest: Rest | null
  readonly saveRest: (rest: Rest, isSynced: boolean) => Effect.Effect<void, PlaceUnwritable>
  readonly home: Home
  readonly config: EnvironmentConfig
  readonly backend: SandboxBackend
  readonly mcpHosts: ReadonlyArray<Endpoint>
  readonly hostVariables: Readonly<Record<string, string>>
  /** Where the sockets of the way out are: short enough for the kernel, whatever the state directory is called. */
  readonly sockets: string
  readonly egress: EgressProxy["Service"]
  readonly preparations: Preparations["Service"]
  readonly blobs: BlobClient["Service"]
  readonly files: FileClient["Service"]
  readonly log: (record: EgressRecord) => Effect.Effect<void>
}

type CopyError = FileError | CheckpointError | PlaceUnwritable

/** Called once, when the sandbox is made; what it does belongs to whoever needed the sandbox first. */
export type Made = () => Effect.Effect<void>

/** A session's place on this host: its directories, its sandbox once something runs there, its shell and its terminals. */
export interface Place {
  readonly record: () => PlaceRecord
  /** What opens the node's door for this session; each call and each attempt brings a newer one. */
  readonly admit: (ticket: string) => void
  readonly tools: ToolPlace
  readonly terminals: Terminals.Terminals
  readonly sandbox: (made: Made) => Effect.Effect<Sandbox, SandboxError>
  /** Whatever the environment takes before somebody works here. Who waits hears what is done. */
  readonly ready: PlaceSandbox.PlaceSandbox["ready"]
  /** Somebody begins to work here, has ended, or has changed files. */
  readonly rest: (change: Partial<Rest>) => Effect.Effect<void, PlaceUnwritable>
  /** Ends what runs. The directories stay, and a sandbox is made anew when something needs one. */
  readonly unmake: Effect.Effect<void>
  readonly capture: Effect.Effect<Captured, CopyError>
  /** Begins the working copy with the archive that the session was given for that. Answers whether it has begun just now. */
  readonly unpack: (
    resources: ReadonlyArray<Resource>
  ) => Effect.Effect<boolean, PreparationFailed | SandboxError | PlaceUnwritable>
  /** Begins the working copy with what is in a directory of the host. */
  readonly copyFrom: (directory: string) => Effect.Effect<void, CopyError>
  readonly restore: (checkpoint: string) => Effect.Effect<void, CopyError>
  /** Mounts the files that the session has by now, and takes away what it has no more. Answers those that can't be had. */
  readonly give: (resources: ReadonlyArray<Resource>) => Effect.Effect<ReadonlyArray<Lacking>, FileError>
  /** Makes files of the session of what is new among its outputs. */
  readonly collect: Effect.Effect<Collection<FileId>, FileError>
  /** `from` null: since it was empty. `to` null: up to now. */
  readonly diff: (from: string | null, to: string | null) => Effect.Effect<TreeDiff, FileError | CheckpointError>
  /** What the last capture found to be different from `from`, in numbers. */
  readonly changes: (from: string | null) => Effect.Effect<Changes, FileError | CheckpointError>
  /** Whether there is nothing in the working copy. */
  readonly isEmpty: () => boolean
  /** The sandbox that a runner before this one made, without what it ran. */
  readonly resume: Effect.Effect<void, SandboxError>
  /** Somebody wants the sandbox made from here on: their word of it. */
  readonly onMade: (made: Made) => void
}

const previewChars = 1_000

/** What can't be looked into is not known to be empty. */
const isEmpty = (path: string): boolean => {
  try {
    return readdirSync(path).length === 0
  } catch {
    return false
  }
}

const directory = (target: string, path: string, readOnly: boolean): MountTable.MountEntry => ({
  target,
  readOnly,
  source: { _tag: "Directory", path },
  sync: "none"
})

/** As the mount point that it is, it can be neither written nor moved away inside. */
const repository = (workspace: string): Mount => ({
  source: join(workspace, ".git"),
  target: `${places.workspace}/.git`,
  readOnly: true,
  inner: true
})

export const open = Effect.fn("Place.open")(function* (
  options: PlaceOptions
): Effect.fn.Return<Place, FileError | EgressProxyError | MountTable.MountError, Scope.Scope> {
  const { backend, blobs, home, save, saveRest } = options
  const config = confined(options.config, options.record.confinement)
  const { noGitWrites, readOnly } = options.record.confinement
  const { account } = home
  const owner = account.switched ? { uid: account.uid, gid: account.gid } : undefined
  let record = options.record
  let resting = options.rest
  let ticket = ""
  let made: Made = () => Effect.void

  const change = (to: Partial<PlaceRecord>) =>
    Effect.suspend(() => {
      record = { ...record, ...to }
      return save(record)
    })

  const { onCompletion, ttlSeconds } = config.lifecycle
  const isDeleted = onCompletion === "delete" || ttlSeconds !== null
  const isProxied = config.network.type !== "none" && backend.isolation !== "none" && backend.isolation !== "absent"
  const socket = join(options.sockets, record.sandboxId.slice(-22))
  const bundle = join(home.home, "certificates.pem")
  if (isProxied) {
    yield* options.egress.open({
      sessionId: record.sessionId,
      sandboxId: record.sandboxId,
      socketPath: socket,
      ...(owner === undefined ? {} : { owner }),
      bundlePath: bundle,
      policy: config.network,
      mcpHosts: options.mcpHosts,
      log: options.log
    })
  }

  const spills = join(home.home, "tool-output")
  mkdirSync(spills, { recursive: true, mode: 0o755 })
  // A host without this file gives its sandboxes none to be put in its place.
  const trusted = existsSync(bundleTarget) ? bundleTarget : "/mnt/session/certificates.pem"
  const source = record.inPlace ?? home.workspace
  const table = yield* MountTable.make([
    directory(places.workspace, source, false),
    directory(places.uploads, home.uploads, true),
    { ...directory(places.outputs, home.outputs, false), sync: "collect" },
    directory(spillTarget, spills, true)
  ])
  const mounts: ReadonlyArray<Mount> = [
    ...table.mounts.map((mount) => (readOnly ? { ...mount, readOnly } : mount)),
    ...(noGitWrites ? [repository(source)] : []),
    ...(isProxied ? [{ source: bundle, target: trusted, readOnly: true }] : [])
  ]
  const workspace = backend.isolation === "none" ? source : places.workspace
  const specOf = (prepared: Prepared): SandboxSpec => ({
    sandboxId: record.sandboxId,
    sessionId: record.sessionId,
    home: home.home,
    mounts: [...mounts, ...prepared.mounts],
    size: sizeOf(config),
    network: isProxied ? { _tag: "Proxied", socket } : { _tag: "None" },
    variables: variablesOf(config, {
      host: options.hostVariables,
      prepared: prepared.variables,
      workspace,
      certificates: isProxied ? trusted : null
    }),
    image: prepared.image
  })

  const sandbox = yield* PlaceSandbox.make({
    backend,
    config: options.config,
    preparations: options.preparations,
    specOf,
    record: () => record,
    change,
    made: () => made()
  })

  const putBlob: ToolPlace["putBlob"] = (bytes, mediaType) =>
    blobs.put(ticket, bytes).pipe(
      Effect.map((sha256): BlobRef => ({
        sha256: sha256 as BlobRef["sha256"],
        bytes: bytes.length,
        mediaType,
        preview: mediaType.startsWith("text/") ? new TextDecoder().decode(bytes.subarray(0, previewChars)) : ""
      })),
      Effect.mapError(({ message }) => new BlobUnavailable({ detail: message }))
    )

  const tools = yield* makeToolPlace({
    backend: backend.name,
    isolation: backend.isolation,
    sandbox: sandbox.now,
    // Of files that are mounted too, tools know nothing.
    mounts: table.mounts,
    ...(owner === undefined ? {} : { owner }),
    spill: makeSpillDirectory({ directory: spills, target: backend.isolation === "none" ? spills : spillTarget }),
    putBlob
  })

  const store = blobsOf(blobs, () => ticket)
  const [state, copied] = [join(home.home, "checkpoints"), join(home.home, "copied")] as const
  for (const path of [state, copied]) mkdirSync(path, { recursive: true, mode: 0o700 })
  const tree = {
    root: { root: source, at: workspace, ...(owner === undefined ? {} : { owner }) },
    state,
    limits: { bytesMax: sizeOf(config).diskMb * 1_048_576 }
  }
  const remember = (checkpoint: string) =>
    Effect.suspend(() => (record.checkpoint === checkpoint ? Effect.void : change({ checkpoint })))
  const copy = Semaphore.makeUnsafe(1)
  const files = yield* makePlaceFiles({
    home,
    client: options.files,
    ticket: () => ticket,
    ...(owner === undefined ? {} : { owner })
  })

  return {
    record: () => record,
    admit: (newer) => {
      ticket = newer
    },
    tools,
    terminals: yield* Terminals.make,
    resume: Effect.asVoid(sandbox.now),
    ready: sandbox.ready,
    rest: (to) =>
      Effect.suspend(() => {
        const before: Rest = resting ?? { ended: "working", kept: false, at: 0 }
        const rest = { ...before, ...to }
        const isSame =
          resting?.ended === rest.ended &&
          before.kept === rest.kept &&
          before.sleeps === rest.sleeps &&
          before.at === rest.at
        if (isSame) return Effect.void
        resting = rest
        // Only this could have something deleted that is kept nowhere: that all is kept, where it is not any more.
        return saveRest(rest, isDeleted && before.kept && !rest.kept)
      }),
    // One that counts as made although nothing is left of it is made anew when it is needed.
    unmake: Effect.andThen(sandbox.unmake, Effect.ignore(change({ made: false }))),
    onMade: (next) => {
      made = next
    },
    sandbox: (next) => Effect.suspend(() => ((made = next), sandbox.now)),
    capture: copy.withPermits(1)(
      Effect.tap(Checkpoints.capture(tree, store), ({ checkpoint }) => remember(checkpoint))
    ),
    unpack: (resources) =>
      Effect.suspend(() => {
        const archive = archiveIn(resources)
        // What was kept once has begun, wherever that was.
        if (archive === null || record.unpacked === true || record.checkpoint !== null) return Effect.succeed(false)
        const unpackIn = (made: Sandbox) => unpackArchive({ home, backend, sandbox: made, archive })
        // What policies take from the agent is taken from it once its files are there.
        const unpacked = readOnly ? sandbox.before(table.mounts, unpackIn) : Effect.flatMap(sandbox.now, unpackIn)
        return Effect.as(Effect.andThen(unpacked, change({ unpacked: true })), true)
      }),
    copyFrom: (path) =>
      Effect.flatMap(Checkpoints.capture({ root: { root: path }, state: copied }, store), ({ checkpoint }) =>
        copy.withPermits(1)(Checkpoints.restore(tree, checkpoint, store))
      ),
    restore: (checkpoint) =>
      copy.withPermits(1)(Effect.andThen(Checkpoints.restore(tree, checkpoint, store), remember(checkpoint))),
    ...files,
    diff: (from, to) => copy.withPermits(1)(Checkpoints.diff(from, to ?? tree, store)),
    changes: (from) => copy.withPermits(1)(Effect.map(Checkpoints.changed(from, tree, store), changesOf)),
    isEmpty: () => isEmpty(source)
  }
})
