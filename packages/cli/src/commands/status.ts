import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { Json } from "../app/globals.ts"
import { leaveWith, print } from "../app/output.ts"
import { ago } from "../app/time.ts"
import { usable } from "../up/Abilities.ts"
import { modelsLine, sandboxLine } from "../up/banner.ts"
import { config } from "../connection/Connection.ts"
import { lacking, type Standing, standing } from "../up/standing.ts"

const processLine = (found: { readonly pid: number; readonly since: number | string } | null, now: number) =>
  found === null ? "does not run" : `process ${found.pid}, begun ${ago(new Date(found.since).toISOString(), now)}`

const inWords = (found: Standing, now: number): string => {
  const { abilities, home, node, runner, supervisor, url } = found
  const rows = [
    ["ready", lacking(found) ?? "yes"],
    ["url", url ?? "–"],
    ["home", home],
    ["up", processLine(supervisor, now)],
    ["node", processLine(node, now)],
    ["runner", processLine(runner, now)],
    ...(abilities === null
      ? []
      : [["sandbox", sandboxLine(abilities)] as const, ["models", modelsLine(abilities)] as const])
  ] as const
  return rows.map(([name, text]) => `${name.padEnd(9)}${text}`).join("\n")
}

const pidOf = (found: { readonly pid: number } | null) => found?.pid ?? null

const inJson = (found: Standing) => ({
  home: found.home,
  ready: lacking(found) === null,
  reason: lacking(found),
  url: found.url,
  pids: { up: pidOf(found.supervisor), node: pidOf(found.node), runner: pidOf(found.runner) },
  sandbox: found.abilities?.defaultSandbox ?? null,
  models: usable(found.abilities?.models ?? []),
  harnesses: usable(found.abilities?.harnesses ?? [])
})

const codeOf = (found: Standing) => {
  if (lacking(found) === null) return 0
  return found.supervisor === null && found.node === null && found.runner === null ? 3 : 1
}

export const status = Command.make(
  "status",
  {},
  Effect.fnUntraced(function* () {
    const isJson = yield* Json
    const found = yield* standing(yield* config)
    const now = yield* Clock.currentTimeMillis
    yield* print(isJson ? JSON.stringify(inJson(found)) : inWords(found, now))
    yield* leaveWith(codeOf(found))
  })
).pipe(
  Command.withShortDescription("Says what runs here, and how it is"),
  Command.withDescription(
    "Says what runs in TROUPE_HOME and how it is. Exit codes: 0 it can be used, 1 it runs and can't, 3 it does not run."
  )
)
