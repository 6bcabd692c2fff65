/**
 * Runs the embedded Postgres of a home by itself, for tests, benches and a look inside:
 *
 *     node embedded-main.ts --home DIR            until SIGINT or SIGTERM
 *     node embedded-main.ts --home DIR --keep     starts it and leaves it running
 *     node embedded-main.ts --home DIR --stop
 *
 * `--lock-held` says that the lock of the home is held by whoever starts this, as `troupe up` does.
 *
 * Prints one line of JSON once it accepts connections. Passwords stay in the files that it names.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { parseArgs } from "node:util"
import { EmbeddedPostgres } from "./EmbeddedPostgres.ts"
import { HomeLock, type HomeLocked, type HomeUnusable } from "./HomeLock.ts"
import { passwordFile } from "./Passwords.ts"

const { values } = parseArgs({
  options: {
    home: { type: "string" },
    keep: { type: "boolean", default: false },
    stop: { type: "boolean", default: false },
    "lock-held": { type: "boolean", default: false },
    "wait-ms": { type: "string", default: "0" },
    set: { type: "string", multiple: true, default: [] }
  }
})
const home = values.home ?? process.env.TROUPE_HOME
const settings = Object.fromEntries(values.set.map((setting) => setting.split("=", 2) as [string, string]))

const run = Effect.gen(function* () {
  const postgres = yield* EmbeddedPostgres
  const lock = yield* HomeLock
  const { dataDirectory, origin, pid, port, socketDir } = postgres
  const passwordFiles = {
    superuser: passwordFile(lock.home, "superuser"),
    owner: passwordFile(lock.home, "owner"),
    app: passwordFile(lock.home, "app")
  }
  yield* Console.log(JSON.stringify({ origin, pid, port, socketDir, dataDirectory, passwordFiles }))
  if (!values.keep) yield* postgres.ended
})

const usage = "usage: embedded-main.ts --home DIR [--keep | --stop] [--lock-held] [--wait-ms N] [--set name=value]"

const lock = (home: string): Layer.Layer<HomeLock, HomeLocked | HomeUnusable> =>
  values["lock-held"] ? HomeLock.layerHeld(home) : HomeLock.layerWait(home, Number(values["wait-ms"]))

const main = (home: string) =>
  (values.stop
    ? Effect.flatMap(EmbeddedPostgres.stop, (stopped) => Console.log(JSON.stringify({ stopped })))
    : Effect.provide(run, EmbeddedPostgres.layer({ keepRunning: values.keep, settings }))
  ).pipe(Effect.provide(lock(home)))

NodeRuntime.runMain(
  home === undefined
    ? Console.error(usage).pipe(Effect.andThen(Effect.sync(() => (process.exitCode = 2))))
    : main(home).pipe(Effect.tapError((error) => Console.error(error.message))),
  { disableErrorReporting: true }
)
