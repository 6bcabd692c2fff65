import * as PgClient from "@effect/sql-pg/PgClient"
import { Limits } from "@troupe/domain/Limits"
import { Effect, Exit, Layer, ManagedRuntime, Redacted, Scope } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as EventStorePg from "../../packages/server/src/log/EventStorePg.ts"
import { NodeProcess } from "../../packages/server/test/support/NodeProcess.ts"
import { TestDatabase } from "../../packages/server/test/support/TestDatabase.ts"
import { Campaign } from "../support/Campaign.ts"
import { chaosProxy, type ChaosProxy } from "../support/ChaosProxy.ts"
import { startOwnPostgres, type OwnPostgres } from "../support/OwnPostgres.ts"
import { startRunner } from "../support/Runner.ts"

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** The bound on coming to rest: what a runner's lease may last, and then a retry. Most runs need seconds. */
const restMs = 150_000

const acceptedMin = 60

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
  readonly nodes: () => ReadonlyArray<NodeProcess>
  readonly superuser: (sql: string) => Promise<void>
  /** The database's own process, where the room has one for itself. */
  readonly postgres: OwnPostgres | undefined
}

export interface RoomOptions {
  readonly seed: number
  readonly sessions?: number
  readonly clients?: number
  /** For how long a runner begins nothing more once it heard no node, and waits to be attached to. */
  readonly contactLeaseMs?: number
  /** A database that may be crashed, and not the one that all tests share. */
  readonly ownPostgres?: boolean
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
    EventStorePg.layer.pipe(Layer.provideMerge(PgClient.layer({ url: database.appUrl, maxConnections: 4 })))
  )
  const admin = ManagedRuntime.make(PgClient.layer({ url: database.superuserUrl, maxConnections: 1 }))
  const up = new Set<NodeProcess>()
  const all = new Set<NodeProcess>()
  const nodes = () => [...up]
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const node = await NodeProcess.start({
      DATABASE_URL: through(database.appUrl, proxy.port),
      DATABASE_OWNER_URL: through(database.ownerUrl, proxy.port),
      TROUPE_TEST_RUNNER: runner.url,
      TROUPE_CONTACT_LEASE_MS: String(contactLeaseMs),
      ...env
    })
    up.add(node)
    all.add(node)
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
      superuser: async (sql) => {
        await admin.runPromise(Effect.flatMap(PgClient.PgClient, (client) => client.unsafe(sql)))
      },
      postgres
    })
    // A slow machine gets little done between faults, and a run of nothing proves nothing.
    if (up.size > 0) await campaign.acceptedMore(acceptedMin)
    const { evidence, problems } = await campaign.finish(restMs)
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
