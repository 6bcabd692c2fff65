import type { SandboxId, SessionId } from "@troupe/domain/Ids"
import type { RunRequest } from "@troupe/domain/runner/Attempt"
import { hostDirectoryOf, isHostDirectory } from "@troupe/domain/session/HostDirectory"
import { WorkplaceError } from "@troupe/domain/runner/Workplace"
import { type Confinement, covers, unconfined } from "@troupe/domain/tools/Confinement"
import { Clock, Context, Effect, Exit, Layer, Scope, Semaphore } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { EgressProxy } from "../egress/EgressProxy.ts"
import { Preparations } from "../environment/Preparations.ts"
import { BlobClient } from "../link/BlobClient.ts"
import { FileClient } from "../link/FileClient.ts"
import { mintSandboxId } from "../mint.ts"
import { Backends } from "../sandbox/Backends.ts"
import { SandboxHome } from "../sandbox/SandboxHome.ts"
import { HostDirectories } from "../workingcopy/HostDirectories.ts"
import { accounting } from "./EgressLog.ts"
import * as Place from "./Place.ts"
import { type PlaceRecord, PlaceRecords } from "./PlaceRecord.ts"
import { configOf } from "./placeSettings.ts"
import { defaultGraceMs, dueAt } from "./rest.ts"
import { socketDirectory } from "./socketDirectory.ts"

export interface PlacesOptions {
  /** The runner's own directory. */
  readonly state: string
  /** The backend for environments that name none; null: the best there is. */
  readonly backend: string | null
  /** The variables of this host that its owner lets into sandboxes. */
  readonly hostVariables: Readonly<Record<string, string>>
  /** How long a place that nobody uses keeps its shell, its terminals and its way out. */
  readonly idleMs: number
  /** How long a place of a turn that is done is left as it is, whatever its environment says. */
  readonly graceMs?: number
}

/** What makes a place, when there is none yet. */
export type Facts = Pick<RunRequest, "sessionId" | "workspaceId" | "environment" | "resources" | "ticket"> & {
  readonly mcpHosts: ReadonlyArray<Endpoint>
  /** Null: what it is already. */
  readonly confinement: Confinement | null
}

/** Of a session that has a place here: what keeps it in memory. */
interface Held {
  readonly place: Place.Place
  readonly scope: Scope.Closeable
  users: number
  usedAt: number
}

const refuse = (code: string, detail: string) => new WorkplaceError({ code, detail, field: null })

/** The places of sessions on this host. */
export class Places extends Context.Service<
  Places,
  {
    /** The session's place, made if there is none, for as long as the scope is open. */
    readonly open: (facts: Facts) => Effect.Effect<Place.Place, WorkplaceError, Scope.Scope>
    /** The session's place, if it has one here. */
    readonly find: (sessionId: SessionId, ticket: string) => Effect.Effect<Place.Place, WorkplaceError, Scope.Scope>
    readonly record: (sessionId: SessionId) => PlaceRecord | null
    /** Takes the place away, with all that is in it. */
    readonly destroy: (sessionId: SessionId) => Effect.Effect<void, WorkplaceError>
    /** Those that have a place here. */
    readonly sessions: () => ReadonlyArray<SessionId>
  }
>()("runner/Places") {
  static readonly layer = (options: PlacesOptions) => Layer.effect(Places, make(options))
}

const make = Effect.fnUntraced(function* (options: PlacesOptions) {
  const backends = yield* Backends
  const homes = yield* SandboxHome
  const egress = yield* EgressProxy
  const preparations = yield* Preparations
  const blobs = yield* BlobClient
  const files = yield* FileClient
  const directories = yield* HostDirectories
  const records = new PlaceRecords(join(options.state, "places"))
  const life = yield* Effect.scope
  const held = new Map<SessionId, Held>()
  const locks = new Map<SessionId, Semaphore.Semaphore>()

  const sockets = yield* socketDirectory(join(options.state, "sockets"))

  const alone = <A, E, R>(sessionId: SessionId, work: Effect.Effect<A, E, R>) => {
    const lock = locks.get(sessionId) ?? Semaphore.makeUnsafe(1)
    locks.set(sessionId, lock)
    return lock.withPermits(1)(work)
  }

  const backendOf = (name: string | null) =>
    name === null
      ? backends.best
      : Effect.mapError(backends.get(name), ({ message }) => refuse("backend_unknown", message))

  const noted = (record: PlaceRecord) =>
    Effect.mapError(records.write(record), ({ message }) => refuse("place_failed", message))

  const load = Effect.fnUntraced(function* (
    record: PlaceRecord,
    mcpHosts: ReadonlyArray<Endpoint>
  ): Effect.fn.Return<Held, WorkplaceError> {
    const config = yield* Effect.fromResult(configOf(record.environment))
    const backend = yield* backendOf(record.backend)
    const home = yield* Effect.mapError(homes.open(record.sandboxId), ({ message }) => refuse("place_failed", message))
    const scope = yield* Scope.fork(life)
    const place = yield* Place.open({
      record,
      save: (next) => records.write(next),
      rest: records.rest(record.sessionId),
      saveRest: (rest, isSynced) => records.writeRest(record.sessionId, rest, isSynced),
      home,
      config,
      backend,
      mcpHosts,
      hostVariables: options.hostVariables,
      sockets,
      egress,
      preparations,
      blobs,
      files,
      log: accounting
    }).pipe(
      Scope.provide(scope),
      Effect.mapError(({ message }) => refuse("place_failed", message)),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
    const one: Held = { place, scope, users: 0, usedAt: yield* Clock.currentTimeMillis }
    held.set(record.sessionId, one)
    return one
  })

  /** The directory of this host that the session asked for, if it did and the runner's owner allowed it. */
  const hostDirectory = Effect.fnUntraced(function* (resources: Facts["resources"]) {
    if (!resources.some(isHostDirectory)) return null
    const spec = hostDirectoryOf(resources)
    if (spec === null) return yield* refuse("resource_invalid", "it is not said any more which directory that was")
    const path = yield* Effect.mapError(directories.resolve(spec.path, spec.use), ({ message }) =>
      refuse("directory_refused", message)
    )
    return { path, use: spec.use }
  })

  const newRecord = Effect.fnUntraced(function* ({
    confinement,
    environment,
    resources,
    sessionId,
    workspaceId
  }: Facts) {
    const config = yield* Effect.fromResult(configOf(environment))
    const backend = yield* backendOf(config.backend ?? options.backend)
    const directory = yield* hostDirectory(resources)
    const sandboxId: SandboxId = yield* mintSandboxId
    const record: PlaceRecord = {
      sessionId,
      workspaceId,
      sandboxId,
      backend: backend.name,
      environment,
      inPlace: directory?.use === "inPlace" ? directory.path : null,
      checkpoint: null,
      made: false,
      confinement: confinement ?? unconfined
    }
    yield* noted(record)
    return { record, copyOf: directory?.use === "copy" ? directory.path : null }
  })

  /** Counts its users, so that a place is not put away under somebody. */
  const use = (one: Held, ticket: string) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        one.users++
        one.place.admit(ticket)
        return one.place
      }),
      () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          one.users--
          one.usedAt = now
        })
    )

  const putAway = Effect.fnUntraced(function* (sessionId: SessionId) {
    const one = held.get(sessionId)
    held.delete(sessionId)
    if (one !== undefined) yield* Scope.close(one.scope, Exit.void)
  })

  /** Ends everything that runs there, and the sandbox with it. The directories stay. */
  const unmake = Effect.fnUntraced(function* ({ place }: Held) {
    yield* place.unmake
    const { sessionId } = place.record()
    yield* putAway(sessionId)
  })

  /**
   * The place under these policies. What processes have and what is mounted is settled when a sandbox is made, so under others
   * it is made anew, with the same directories. While somebody uses it, one that lacks more than it should will do.
   */
  const fitted = Effect.fnUntraced(function* (one: Held, facts: Facts) {
    const record = one.place.record()
    const { confinement } = facts
    if (confinement === null) return one
    const isCovered = covers(record.confinement, confinement)
    if (isCovered && covers(confinement, record.confinement)) return one
    if (one.users > 0) {
      if (isCovered) return one
      return yield* refuse("place_in_use", "the session's sandbox is in use under policies that take less away")
    }
    yield* unmake(one)
    const next = { ...record, confinement, made: false }
    yield* noted(next)
    return yield* load(next, facts.mcpHosts)
  }, Effect.uninterruptible)

  const open: Places["Service"]["open"] = Effect.fn("Places.open")((facts) =>
    alone(
      facts.sessionId,
      Effect.gen(function* () {
        const there = held.get(facts.sessionId)
        if (there !== undefined) return yield* use(yield* fitted(there, facts), facts.ticket)
        const known = records.read(facts.sessionId)
        if (known !== null) {
          return yield* use(yield* fitted(yield* load(known, facts.mcpHosts), facts), facts.ticket)
        }
        const { copyOf, record } = yield* newRecord(facts)
        const place = yield* use(yield* load(record, facts.mcpHosts), facts.ticket)
        if (copyOf !== null) {
          yield* Effect.mapError(place.copyFrom(copyOf), ({ message }) => refuse("copy_failed", message))
        }
        return place
      })
    )
  )

  const find: Places["Service"]["find"] = Effect.fn("Places.find")((sessionId, ticket) =>
    alone(
      sessionId,
      Effect.gen(function* () {
        const there = held.get(sessionId)
        const record = records.read(sessionId)
        if (there === undefined && record === null) {
          return yield* refuse("no_place", "this session has no place on this runner")
        }
        return yield* use(there ?? (yield* load(record!, [])), ticket)
      })
    )
  )

  const removePlace = Effect.fnUntraced(function* (record: PlaceRecord) {
    const { sandboxId, sessionId } = record
    yield* unmake(held.get(sessionId) ?? (yield* load(record, [])))
    yield* Effect.mapError(homes.remove(sandboxId), ({ message }) => refuse("destroy_failed", message))
    records.remove(sessionId)
  })

  const destroy: Places["Service"]["destroy"] = Effect.fn("Places.destroy")((sessionId) =>
    alone(
      sessionId,
      Effect.suspend(() => {
        const record = records.read(sessionId)
        return record === null ? Effect.void : removePlace(record)
      }).pipe(Effect.uninterruptible)
    )
  )

  /** Places that nobody has used for a while keep their files, and nothing else. */
  const tidy = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [sessionId, one] of [...held]) {
      const isIdle = one.users === 0 && one.place.terminals.count() === 0 && now - one.usedAt > options.idleMs
      if (isIdle)
        yield* alone(
          sessionId,
          Effect.suspend(() => (one.users === 0 ? putAway(sessionId) : Effect.void))
        )
    }
  })
  const isUsed = (sessionId: SessionId) => {
    const one = held.get(sessionId)
    return one !== undefined && (one.users > 0 || one.place.terminals.count() > 0)
  }

  /** What the environment of a place says should become of it now. */
  const dueOf = (record: PlaceRecord, now: number) => {
    const config = configOf(record.environment)
    const rest = records.rest(record.sessionId)
    if (rest === null || config._tag === "Failure" || isUsed(record.sessionId)) return "stay"
    // A directory of somebody else's is not ours to put back from a checkpoint; outputs are in none.
    const kept = rest.kept && record.inPlace === null
    const due = dueAt(config.success.lifecycle, { ...rest, kept }, now, options.graceMs)
    return due === "sleep" && !record.made ? "stay" : due
  }

  /** Does what environments say about sandboxes in which nothing works any more. */
  const settle = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const { sessionId } of records.all().filter((record) => dueOf(record, now) !== "stay")) {
      const work = Effect.gen(function* () {
        const record = records.read(sessionId)
        const due = record === null ? "stay" : dueOf(record, now)
        if (record === null || due === "stay") return
        const outputs = yield* Effect.map(homes.open(record.sandboxId), (home) => readdirSync(home.outputs).length)
        if (due === "delete" && outputs === 0) return yield* removePlace(record)
        if (record.made) yield* unmake(held.get(sessionId) ?? (yield* load(record, [])))
      })
      yield* alone(sessionId, Effect.uninterruptible(work)).pipe(
        Effect.catch(({ message }) =>
          Effect.logWarning("A sandbox could not be put away").pipe(Effect.annotateLogs({ sessionId, message }))
        )
      )
    }
  })
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.andThen(
        Effect.sleep(Math.min(options.idleMs, options.graceMs ?? defaultGraceMs, 30_000)),
        Effect.andThen(tidy, settle)
      )
    )
  )

  const isLeft = ({ message }: { readonly message: string }) =>
    Effect.logWarning("Something of an earlier run is left").pipe(Effect.annotateLogs({ message }))

  /** What a runner before this one left: homes of no session are removed, and processes that outlived it are ended. */
  const sweep = Effect.gen(function* () {
    const known = new Map(records.all().map((record) => [record.sandboxId as string, record]))
    let removed = 0
    let resumed = 0
    for (const sandboxId of yield* homes.list) {
      const record = known.get(sandboxId)
      if (record === undefined) {
        yield* homes.remove(sandboxId as SandboxId)
        removed++
      } else if (record.made) {
        const resume = Effect.scoped(Effect.flatMap(find(record.sessionId, ""), (place) => place.resume))
        yield* Effect.catch(resume, isLeft)
        resumed++
      }
    }
    if (removed + resumed > 0) {
      yield* Effect.logInfo("Saw to what an earlier run left").pipe(Effect.annotateLogs({ removed, resumed }))
    }
    // Last, so that what places use is in use.
    yield* preparations.collect
  }).pipe(Effect.catch(isLeft))
  yield* Effect.forkScoped(sweep)

  return Places.of({
    open,
    find,
    record: (sessionId) => records.read(sessionId),
    destroy,
    sessions: () => records.sessions()
  })
})
