import { Redacted } from "effect"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import type { ChildLog } from "./ChildLog.ts"
import { urlOf } from "./address.ts"
import type { Part, Stopping } from "./Part.ts"
import * as Program from "./Program.ts"
import type { Handed, UpConfig, Variables } from "./UpConfig.ts"

const main = (name: string) => fileURLToPath(new URL(`../../../${name}/src/main.ts`, import.meta.url))

const withMore = (handed: Handed, environment: Variables, secrets: Variables): Handed => ({
  environment: { ...handed.environment, ...environment },
  secrets: Redacted.make({ ...Redacted.value(handed.secrets), ...secrets })
})

/** A node finishes what it began, and hands its sessions over. */
export const nodeStopping: Stopping = { signals: [["SIGTERM", 15_000]], hard: "SIGKILL" }

export const node = (config: UpConfig, port: number, runnerToken: Redacted.Redacted, log: ChildLog): Part =>
  Program.part(
    config.home,
    {
      name: "node",
      file: main("server"),
      args: ["--supervised"],
      handed: withMore(
        config.node,
        { TROUPE_HOST: config.host, TROUPE_PORT: String(port) },
        { TROUPE_RUNNER_TOKEN: Redacted.value(runnerToken) }
      ),
      stopping: nodeStopping,
      url: urlOf(config.host, port)
    },
    log
  )

/** A runner gives its attempts a while, and a moment to say what came of them. */
export const runnerStopping = ({ runnerStopGraceMs }: UpConfig): Stopping => ({
  signals: [["SIGTERM", runnerStopGraceMs + 10_000]],
  hard: "SIGKILL"
})

export const runner = (config: UpConfig, port: number, runnerToken: Redacted.Redacted, log: ChildLog): Part =>
  Program.part(
    config.home,
    {
      name: "runner",
      file: main("runner"),
      args: ["--server", urlOf(config.host, port), "--state", config.runnerState],
      handed: withMore(config.runner, {}, { TROUPE_RUNNER_TOKEN: Redacted.value(runnerToken) }),
      stopping: runnerStopping(config),
      url: null
    },
    log
  )

export const logsOf = (home: string) => join(home, "logs")

/** Where the node keeps the first key of the first workspace, unless it was named in TROUPE_API_KEY. */
export const apiKeyFile = (home: string) => join(home, "api_key")
