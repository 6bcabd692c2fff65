import { Clock, Effect } from "effect"
import type { Finding } from "../doctor/Finding.ts"
import { clock, disk, permissions } from "../doctor/host.ts"
import { database, models, ports, running, sandbox } from "../doctor/system.ts"
import { config, told } from "../up/failures.ts"
import { standing, type Standing } from "../up/standing.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import { json, parse } from "./arguments.ts"

const usage = `troupe doctor [--json]

  Looks for what is wrong on this host, and says what to do. Exit codes: 0 nothing is, 1 something is.
`

/** The node's clock, to the second, from the header of any answer; null where none comes. */
const clockOf = ({ readiness, url }: Standing): Effect.Effect<number | null> =>
  url === null || readiness._tag === "Silent"
    ? Effect.succeed(null)
    : Effect.tryPromise((signal) => fetch(`${url}/healthz`, { signal })).pipe(
        Effect.timeout(3_000),
        Effect.map(({ headers }) => {
          const date = headers.get("date")
          return date === null ? null : Date.parse(date)
        }),
        Effect.catch(() => Effect.succeed(null))
      )

const examine = Effect.fnUntraced(function* (given: UpConfig) {
  const found = yield* standing(given)
  const nodeSays = yield* clockOf(found)
  return [
    permissions(given.home),
    disk(given.home),
    clock(yield* Clock.currentTimeMillis, nodeSays),
    yield* database(given, found),
    yield* ports(given, found),
    ...running(found),
    sandbox(found),
    models(found)
  ]
})

const marks = { ok: "ok  ", warn: "note", bad: "BAD " } as const

const inWords = (findings: ReadonlyArray<Finding>): string =>
  findings
    .map(({ advice, check, found, state }) => {
      const line = `${marks[state]}  ${check.padEnd(9)} ${found}\n`
      return advice === null ? line : `${line}                → ${advice}\n`
    })
    .join("")

export const doctor = async (args: ReadonlyArray<string>): Promise<number> => {
  const values = parse(args, json, usage)
  if (typeof values === "number") return values
  return await Effect.runPromise(
    told(
      Effect.gen(function* () {
        const findings = yield* examine(yield* config)
        const isWell = findings.every(({ state }) => state !== "bad")
        const text = values.json === true ? `${JSON.stringify({ ok: isWell, findings })}\n` : inWords(findings)
        yield* Effect.sync(() => process.stdout.write(text))
        return isWell ? 0 : 1
      })
    )
  )
}
