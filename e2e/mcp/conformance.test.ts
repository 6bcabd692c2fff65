import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { JsonObject } from "@troupe/domain/Json"
import { execFile } from "node:child_process"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { packageFile } from "../../packages/runner/test/mcp/world.ts"
import { compiled } from "../../test/support/compiled.ts"
import { requires } from "../../test/requires.ts"
import { type Begun, LoginWorld } from "./LoginWorld.ts"

const suite = packageFile("conformance", "dist/index.js")
const program = fileURLToPath(new URL("fixtures/suite-client.mjs", import.meta.url))

const scenarios = [
  "initialize",
  "tools_call",
  "elicitation-sep1034-client-defaults",
  "sse-retry",
  "auth/metadata-default",
  "auth/metadata-var1",
  "auth/metadata-var2",
  "auth/metadata-var3",
  "auth/basic-cimd",
  "auth/scope-from-www-authenticate",
  "auth/scope-from-scopes-supported",
  "auth/scope-omitted-when-undefined",
  "auth/scope-step-up",
  "auth/scope-retry-limit",
  "auth/token-endpoint-auth-basic",
  "auth/token-endpoint-auth-post",
  "auth/token-endpoint-auth-none",
  "auth/pre-registration",
  "auth/2025-03-26-oauth-metadata-backcompat",
  "auth/2025-03-26-oauth-endpoint-fallback",
  "auth/resource-mismatch",
  "auth/offline-access-scope",
  "auth/offline-access-not-supported",
  "auth/client-credentials-jwt",
  "auth/client-credentials-basic",
  "auth/cross-app-access-complete-flow"
]

interface Scenario {
  readonly scenario: string
  readonly serverUrl: string
  readonly context: {
    readonly client_id?: string
    readonly client_secret?: string
    readonly private_key_pem?: string
    readonly signing_algorithm?: string
    readonly idp_client_id?: string
    readonly idp_id_token?: string
    readonly idp_token_endpoint?: string
  }
}

/** A client of the workspace's own, where the scenario has registered one. */
const clientOf = ({ context }: Scenario): JsonObject => {
  const { client_id, client_secret, private_key_pem: private_key, signing_algorithm } = context
  if (client_id === undefined) return {}
  const given = { client_id, client_secret, private_key, signing_algorithm }
  return { client: JSON.parse(JSON.stringify(given)) as JsonObject }
}

const grantOf = ({ context, scenario }: Scenario): JsonObject => {
  if (scenario.startsWith("auth/client-credentials")) return { grant: "client_credentials" }
  const { idp_client_id: client_id, idp_id_token: id_token, idp_token_endpoint: token_endpoint } = context
  if (client_id === undefined || id_token === undefined || token_endpoint === undefined) return {}
  return { grant: "cross_app_access", identity: { client_id, id_token, token_endpoint } }
}

const play = async (world: LoginWorld, scenario: Scenario): Promise<ReadonlyArray<string>> => {
  const session = await world.begin(await world.register(scenario.serverUrl))
  return await follow(world, scenario, session).finally(() => world.leave(session))
}

/** A session that uses the server, and a person who logs in for as long as they are told that it would help. */
const follow = async (world: LoginWorld, scenario: Scenario, session: Begun): Promise<ReadonlyArray<string>> => {
  for (;;) {
    const { remedy, said, told } = await world.turn(session)
    if (remedy === null) return [...told.map(({ message }) => message), ...said]
    const scope = remedy.scope === undefined ? {} : { scope: remedy.scope }
    const begun = await world.ask("POST", remedy.path, { ...clientOf(scenario), ...grantOf(scenario), ...scope })
    if (begun.status !== 200) return [JSON.stringify(begun.body)]
    const { authorization_url: address } = begun.body
    if (address !== null) assert.strictEqual((await world.logIn(address)).status, 200)
  }
}

requires("postgres")("The official conformance suite for clients", () => {
  let world: LoginWorld
  let control: Server
  let output = ""
  const verdicts = new Map<string, string>()

  beforeAll(async () => {
    world = await LoginWorld.start()
    // The suite begins all scenarios at once. Some look at the clock, so they are played one after the other.
    let before: Promise<unknown> = Promise.resolve()
    control = createServer(async (request, response) => {
      let text = ""
      for await (const chunk of request) text += String(chunk)
      const played = before.then(() => play(world, JSON.parse(text) as Scenario))
      before = played.catch(() => undefined)
      await played.then(
        (lines) => response.writeHead(200).end(lines.join("\n")),
        (error: Error) => response.writeHead(500).end(error.stack)
      )
    })
    await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve))
    const { port } = control.address() as AddressInfo
    const command = `${process.execPath} ${program} http://127.0.0.1:${port}`
    const options = { env: { PATH: process.env["PATH"] ?? "", ...compiled }, maxBuffer: 64 * 1_048_576 }
    const args = [suite, "client", "--command", command, "--suite", "all", "--timeout", "240000"]
    const ran = await promisify(execFile)(process.execPath, args, options).catch((failed: unknown) => failed)
    const { stderr, stdout } = ran as { readonly stdout: string; readonly stderr: string }
    output = `${stdout}\n${stderr}`
    for (const [, name, verdict] of stdout.matchAll(/^\S+ (\S+): (\d+ passed, \d+ failed)/gm)) {
      verdicts.set(name!, verdict!)
    }
  }, 300_000)
  afterAll(async () => {
    control.close()
    await world.end()
  }, 60_000)

  it("has no scenario that is left out", () => {
    assert.sameMembers([...verdicts.keys()], scenarios, output)
  })

  it.each(scenarios)("%s", (scenario) => {
    assert.match(verdicts.get(scenario) ?? "", /^[1-9]\d* passed, 0 failed$/, output)
  })
})
