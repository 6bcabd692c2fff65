/**
 * Sessions through everything that a turn can do, told as it happens and checked: `node e2e/system/features.ts` on the demo
 * model, `node e2e/system/features.ts openai` on a fake OpenAI server, over the SDK of OpenAI and real HTTP. With `--write`
 * what was told becomes a page of `docs/transcripts`.
 */
import { Effect, Exit, Scope } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { serving } from "../../packages/runner/test/mcp/world.ts"
import { OpenAiServer } from "../support/OpenAiServer.ts"
import { System } from "../support/System.ts"
import { limits } from "./features/limits.ts"
import { models } from "./features/models.ts"
import { people } from "./features/people.ts"
import { servers } from "./features/servers.ts"
import { Story } from "./features/Story.ts"
import { Telling } from "./features/Telling.ts"
import { turns } from "./features/turns.ts"

const kind = process.argv.includes("openai") ? "openai" : "demo"
const [model, auxModel] = kind === "openai" ? ["openai/gpt-4.1", "openai/gpt-4.1-mini"] : ["demo", "demo"]
const about = {
  demo: "the demo model, which needs no key and no network",
  openai: "a server that speaks as OpenAI's does, over OpenAI's own SDK and HTTP"
}

const system = await System.make()
const server = await OpenAiServer.start()
const scope = Scope.makeUnsafe()
const everything = await Effect.runPromise(Scope.provide(serving("streamableHttp"), scope))
const telling = new Telling()
const nodeEnv = { TROUPE_MASTER_KEY: "a-master-key-of-tests-that-is-long-enough" }

const restart = async () => {
  const node = system.nodes.at(-1)!
  await node.end("SIGKILL")
  await system.runners[0]!.stop("SIGKILL")
  telling.note("node and runner are killed, and others started")
  await system.node({ ...nodeEnv, TROUPE_PORT: new URL(node.gateway).port })
  system.runners[0]!.start()
}

const page = () => `# What a turn can do, on ${kind === "openai" ? "an OpenAI server" : "the demo model"}

Written by \`node e2e/system/features.ts ${kind} --write\`, which has real sessions do all this on a node, a runner, a Postgres and
sandboxes of its own, with ${about[kind]}. Each line is an event of a session's
log; lines with a dash happen beside it. Every chapter was checked, and each model request in it was counted once. Ids are
numbered in the order in which they come up.

${telling.markdown()}`

try {
  await system.node(nodeEnv)
  const provider = kind === "openai" ? { OPENAI_API_KEY: "a key", OPENAI_BASE_URL: `${server.url}/v1` } : {}
  system.runner({
    env: { ...provider, TROUPE_EGRESS_ALLOW: `127.0.0.1:${everything.port},${new URL(server.url).host}` }
  })
  const url = `http://127.0.0.1:${everything.port}/mcp`
  const story = new Story({ system, telling, model: model!, auxModel: auxModel!, server, everything: url, restart })
  for (const part of [turns, people, servers, models, limits]) await part(story)
  telling.print("All of it is as it should be.")
  if (process.argv.includes("--write")) {
    const directory = join(import.meta.dirname, "../../docs/transcripts")
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `${kind}.md`), page())
  }
} catch (error) {
  process.exitCode = 1
  for (const { output } of system.runners) process.stderr.write(output.join(""))
  telling.print(
    `This is not as it should be: ${error instanceof Error ? error.message.slice(0, 4_000) : String(error)}`
  )
} finally {
  await system.end()
  server.stop()
  await Effect.runPromise(Scope.close(scope, Exit.void))
}
