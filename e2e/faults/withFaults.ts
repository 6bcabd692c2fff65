import * as PgClient from "@effect/sql-pg/PgClient"
import { Limits } from "@troupe/domain/Limits"
import { Effect, Exit, Layer, ManagedRuntime, Option, Redacted, Scope } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { EventStore } from "../../packages/server/src/log/EventStore.ts"
import { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { logWithout, type Unsafe } from "../../packages/server/test/support/unsafe.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { Campaign } from "../support/Campaign.ts"
import { noteClaims } from "../support/claims.ts"
import { chaosProxy, type ChaosProxy } from "../support/ChaosProxy.ts"
import { startOwnPostgres, type OwnPostgres } from "../support/OwnPostgres.ts"
import { startRunner } from "../support/Runner.ts"

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** The bound on coming to rest: what a runner's lease may last, and then a retry. Most runs need seconds. */
const restMs = 150_000

const acceptedMin = 60

/** The bound on somebody else taking the sessions of a frozen node, which lasts until its lock has expired: 10 s. */
const takenWithinMs = 120_000

/** A machine room: a database behind a proxy that can be cut, a runner, and nodes that a test starts and ends. */
export interface Room {
  readonly campaign: Campaign
  readonly proxy: ChaosProxy
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<NodeProcess>
  /** Ends a node as `kill -9` does. Nobody speaks to it from now on. */
  readonly kill: (node: NodeProcess) => Promise<void>
  /** Nobody speaks to it until it is thawed. */
  readonly freeze: (node: NodeProcess) => void
  readonly thaw: (node: NodeProcess) => void
  /** Whoever owns most sessions, once somebody owns any, and the epochs of those. */
  readonly busiest: () => Promise<readonly [NodeProcess, Epochs]>
  /** Waits until others have taken all of these. */
  readonly taken: (epochs: Epochs) => Promise<void>
  readonly nodes: () => ReadonlyArray<NodeProcess>
  readonly superuser: (sql: string) => Promise<ReadonlyArray<object>>
  /** Runs a statement in a transaction of the superuser, and leaves that open until it is let go. */
  readonly hold: (sql: string) => Promise<() => Promise<void>>
  /** The database's own process, where the room has one for itself. */
  readonly postgres: OwnPostgres | undefined
}

/** The epoch of each session, by its id. */
export type Epochs = ReadonlyMap<string, number>

export interface RoomOptions {
  readonly seed: number
  readonly sessions?: number
  readonly clients?: number
  /** For how long a runner begins nothing more once it heard no node, and waits to be attached to. */
  readonly contactLeaseMs?: number
  /** A database that may be crashed, and not the one that all tests share. */
  readonly ownPostgres?: boolean
  /** A safeguard that nodes, and the reader of everything, go without. What is left is judged as it stands. */
  readonly unsafe?: Unsafe | undefined
}

const through = (url: Redacted.Redacted, port: number): string => {
  const parsed = new URL(Redacted.value(url))
  parsed.hostname = "127.0.0.1"
  parsed.port = String(port)
  parsed.searchParams.delete("host")
  return parsed.toString()
}

/** The port of the shared test server, whose clients otherwise come by its socket. */
const serverPort = (): number => {
  const record = join(import.meta.dirname, "../../node_modules/.cache/troupe-test-pg/server.json")
  return (JSON.parse(readFileSync(record, "utf8")) as { readonly port: number }).port
}

/** Runs faults against a system at work, lets it rest, and returns what promises it broke. */
export const withFaults = async (
  options: RoomOptions,
  faults: (room: Room) => Promise<void>
): Promise<{ readonly problems: ReadonlyArray<string>; readonly events: number; readonly calls: number }> => {
  const scope = Scope.makeUnsafe()
  const postgres = options.ownPostgres === true ? await startOwnPostgres() : undefined
  const database = postgres ?? (await Effect.runPromise(Scope.provide(TestDatabase.make(), scope)))
  const proxy = await chaosProxy(postgres?.port ?? serverPort())
  const contactLeaseMs = options.contactLeaseMs ?? Limits.contactLeaseMs
  const runner = await startRunner(options.seed, contactLeaseMs)
  const runtime = ManagedRuntime.make(
    logWithout(options.unsafe).pipe(
      Layer.provideMerge(PgClient.layer({ url: database.appUrl, applicationName: "judge", maxConnections: 4 }))
    )
  )
  const admin = ManagedRuntime.make(PgClient.layer({ url: database.superuserUrl, maxConnections: 2 }))
  const superuser: Room["superuser"] = (sql) =>
    admin.runPromise(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe<object>(sql)))
  const up = new Set<NodeProcess>()
  const all = new Set<NodeProcess>()
  const nodes = () => [...up]
  let noting: Promise<void> | undefined
  const notes = async () => {
    for (const statement of noteClaims) await superuser(statement)
  }
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const node = await NodeProcess.start({
      DATABASE_URL: through(database.appUrl, proxy.port),
      DATABASE_OWNER_URL: through(database.ownerUrl, proxy.port),
      TROUPE_TEST_RUNNER: runner.url,
      TROUPE_CONTACT_LEASE_MS: String(contactLeaseMs),
      TROUPE_TEST_UNSAFE: options.unsafe ?? "",
      ...env
    })
    all.add(node)
    // The first node has made the tables, and works only once this one is known.
    await (noting ??= notes())
    up.add(node)
    void node.exited.then(() => up.delete(node))
    return node
  }
  const campaign = new Campaign({
    seed: options.seed,
    sessions: options.sessions ?? 4,
    clients: options.clients ?? 4,
    database: (effect) => runtime.runPromise(effect),
    runnerUrl: runner.url,
    nodes
  })
  const epochOf = async (sessionId: string) =>
    (await runtime.runPromise(Effect.flatMap(EventStore, (store) => store.head(sessionId)))).pipe(
      Option.match({ onNone: () => 0, onSome: ({ epoch }) => epoch })
    )
  const ownedBy = async (node: NodeProcess): Promise<Epochs> => {
    const epochs = new Map<string, number>()
    for (const sessionId of campaign.judged) {
      const epoch = await epochOf(sessionId)
      if (epoch > 0 && (await node.owns(sessionId))) epochs.set(sessionId, epoch)
    }
    return epochs
  }
  try {
    await faults({
      campaign,
      proxy,
      start,
      nodes,
      kill: async (node) => {
        up.delete(node)
        await node.end("SIGKILL")
      },
      freeze: (node) => {
        up.delete(node)
        node.signal("SIGSTOP")
      },
      thaw: (node) => {
        node.signal("SIGCONT")
        up.add(node)
      },
      busiest: async () => {
        for (const deadline = Date.now() + takenWithinMs; Date.now() < deadline; await sleep(50)) {
          const owners = await Promise.all(nodes().map(async (node) => [node, await ownedBy(node)] as const))
          const [most] = owners.toSorted(([, one], [, other]) => other.size - one.size)
          if (most !== undefined && most[1].size > 0) return most
        }
        throw new Error(`Nobody owned a session within ${takenWithinMs} ms`)
      },
      taken: async (epochs) => {
        const deadline = Date.now() + takenWithinMs
        for (const [sessionId, epoch] of epochs) {
          while ((await epochOf(sessionId)) <= epoch) {
            if (Date.now() > deadline) throw new Error(`Nobody took ${sessionId} within ${takenWithinMs} ms`)
            // Whoever is asked has it loaded by its owner, which takes an epoch.
            await Promise.race([
              up
                .values()
                .next()
                .value?.current(sessionId)
                .catch(() => undefined),
              sleep(250)
            ])
            await sleep(50)
          }
        }
      },
      superuser,
      hold: async (sql) => {
        const held = Scope.makeUnsafe()
        const transaction = Effect.gen(function* () {
          const client = yield* PgClient.PgClient
          const connection = yield* client.reserve
          yield* connection.executeUnprepared("BEGIN", [], undefined)
          yield* connection.executeUnprepared(sql, [], undefined)
          return connection.executeUnprepared("COMMIT", [], undefined)
        })
        const commit = await admin.runPromise(Scope.provide(transaction, held))
        return async () => {
          await Effect.runPromise(Effect.andThen(commit, Scope.close(held, Exit.void)))
        }
      },
      postgres
    })
    // A slow machine gets little done between faults, and a run of nothing proves nothing.
    const judgedAtRest = options.unsafe === undefined
    if (judgedAtRest && up.size > 0) await campaign.acceptedMore(acceptedMin)
    const { evidence, problems } = await campaign.finish(judgedAtRest ? restMs : 0)
    return {
      problems,
      events: evidence.sessions.reduce((sum, session) => sum + session.events.length, 0),
      calls: evidence.calls.length
    }
  } finally {
    await Promise.all([...all].map((node) => node.end("SIGKILL")))
    await runner.end()
    await proxy.close()
    await runtime.dispose()
    await admin.dispose()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await postgres?.close()
  }
}
