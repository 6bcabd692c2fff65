import { Effect } from "effect"
import { existsSync } from "node:fs"
import { Json } from "../app/globals.ts"
import { print } from "../app/output.ts"
import { abilitiesOf } from "./Abilities.ts"
import { tellWork } from "./atWork.ts"
import { banner } from "./banner.ts"
import { config } from "./failures.ts"
import { Home } from "./Home.ts"
import { isShared, onLan } from "./lan.ts"
import { keyOf, loginLink } from "./loginLink.ts"
import { apiKeyFile, logsOf } from "./parts.ts"
import { signals } from "./Signals.ts"
import { supervise, type Supervised } from "./Supervisor.ts"
import { say } from "./Talk.ts"
import type { UpConfig } from "./UpConfig.ts"
import { ourName } from "../app/NameConfig.ts"

/** Whether this start is the one that makes the key. */
export const isFirst = ({ apiKey, home }: UpConfig): boolean => apiKey === null && !existsSync(apiKeyFile(home))

export interface Start {
  readonly url: string
  /** Null where somebody else did not measure it. */
  readonly inMs: number | null
  readonly isFirst: boolean
}

/** What is said once all of it can be used. The key itself is for the eyes of who has just had it made, and for no log. */
export const readyText = (given: UpConfig, { inMs, isFirst, url }: Start): Effect.Effect<string> =>
  Effect.map(loginLink(given, url), (link) => {
    const { apiKey, home, runnerState } = given
    return banner({
      url,
      inMs,
      key: isFirst && process.stdout.isTTY === true ? keyOf(given) : null,
      keyFile: apiKey === null ? apiKeyFile(home) : null,
      loginLink: link,
      logs: logsOf(home),
      abilities: abilitiesOf(runnerState),
      isShared: isShared(url)
    })
  })

/** The same for programs. */
export const readyJson = (given: UpConfig, url: string): Effect.Effect<string> =>
  Effect.map(loginLink(given, url), (link) =>
    JSON.stringify({
      url,
      home: given.home,
      key_file: given.apiKey === null ? apiKeyFile(given.home) : null,
      login_url: link
    })
  )

const slowMs = 15_000
/** As a shell says of what Ctrl-C ended. */
const hurriedCode = 130

const work = Effect.fnUntraced(function* (given: UpConfig, { ready }: Supervised, isFirst: boolean) {
  const slow = Effect.delay(
    say(`Still starting; what the parts say is in ${logsOf(given.home)}, and ${ourName} doctor looks at this host.`),
    slowMs
  )
  const { inMs, url } = yield* Effect.raceFirst(ready, Effect.andThen(slow, Effect.never))
  const text = (yield* Json)
    ? yield* readyJson(given, url)
    : `${yield* readyText(given, { url, inMs, isFirst })}\nCtrl-C stops it.`
  yield* print(text)
  return yield* Effect.never
})

const run = Effect.fnUntraced(function* (given: UpConfig) {
  const { first, second } = yield* signals
  if (given.runnerToken !== null) {
    yield* say("TROUPE_RUNNER_TOKEN is used. Without it a token is made and kept, where no other program can read it.")
  }
  const makesKey = isFirst(given)
  const supervised = yield* supervise(given)
  const worked = yield* Effect.exit(Effect.raceFirst(work(given, supervised, makesKey), first))
  // Who is asked again ends all at once, whatever would have ended in order meanwhile.
  const stopping = Effect.andThen(
    tellWork(given, supervised.url, "Ctrl-C once more ends all at once."),
    supervised.stop
  )
  const code = yield* Effect.raceFirst(Effect.as(stopping, 0), Effect.as(second, hurriedCode))
  if (code === hurriedCode) {
    yield* say("Ending at once. What was not finished is recovered at the next start.")
    yield* supervised.kill
  }
  yield* worked
  yield* say("Stopped.")
  return code
})

/** Runs all of Troupe until it is told to stop. Answers the exit code. */
export const foreground = (isLan: boolean) =>
  Effect.suspend(() => {
    // Who reads our words may go away, and that ends nothing.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
    const given = isLan ? Effect.flatMap(config, onLan) : config
    return Effect.flatMap(given, (found) => Effect.scoped(run(found)).pipe(Effect.provide(Home.layer(found.home))))
  })
