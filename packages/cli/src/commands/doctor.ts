import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { Json } from "../app/globals.ts"
import { leaveWith, print } from "../app/output.ts"
import { config } from "../connection/Connection.ts"
import { type Finding, ok } from "../doctor/Finding.ts"
import { clock, disk, permissions } from "../doctor/host.ts"
import { key, network } from "../doctor/reach.ts"
import { database, models, ports, running, sandbox } from "../doctor/system.ts"
import { standing, type Standing } from "../up/standing.ts"
import { type Told, tellings, type UpConfig } from "../up/UpConfig.ts"
import { table } from "../app/table.ts"
import { columns } from "../terminal/columns.ts"
import { cut } from "../terminal/width.ts"

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
    ok("node", `Node ${process.version.slice(1)}`),
    yield* database(given, found),
    yield* ports(given, found),
    ...running(found),
    sandbox(found),
    models(found),
    yield* key(given, found),
    network()
  ]
})

const marks = { ok: "ok  ", warn: "note", bad: "BAD " } as const

const inWords = (findings: ReadonlyArray<Finding>): string =>
  findings
    .map(({ advice, check, found, state }) => {
      const line = `${marks[state]}  ${check.padEnd(9)} ${found}`
      return advice === null ? line : `${line}\n                → ${advice}`
    })
    .join("\n")

const valueWidth = 40

const listed = (all: ReadonlyArray<Told>): string =>
  table(
    ["VARIABLE", "VALUE", "FROM", "WHAT IT IS"],
    all.map(({ name, says, source, value }) => [name, value === null ? null : cut(value, valueWidth), source, says]),
    columns()
  )

export const doctor = Command.make(
  "doctor",
  {},
  Effect.fnUntraced(function* () {
    const isJson = yield* Json
    const findings = yield* examine(yield* config)
    const configuration = tellings()
    const isWell = findings.every(({ state }) => state !== "bad")
    // What is wrong comes last, where it is seen.
    const words = `${listed(configuration)}\n\n${inWords(findings)}`
    yield* print(isJson ? JSON.stringify({ ok: isWell, findings, configuration }) : words)
    yield* leaveWith(isWell ? 0 : 1)
  })
).pipe(
  Command.withDescription(
    "Lists what a start from here would be told, and who says it; looks for what is wrong on this host, and says what to do. " +
      "Exit codes: 0 nothing is, 1 something is."
  )
)
