import { afterAll, afterEach, assert, beforeAll, beforeEach, it } from "@effect/vitest"
import type { Json } from "@troupe/domain/Json"
import { Effect, Redacted } from "effect"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { SecretSource } from "../../packages/server/src/runners/SecretSource.ts"
import { asStranger } from "../../packages/server/test/gateway/asking.ts"
import { startNode, type TestNode } from "../../packages/server/test/support/TestNode.ts"
import * as NoRunners from "../../packages/server/test/support/NoRunners.ts"
import * as SqlClient from "effect/sql/SqlClient"
import { compiled } from "../../test/support/compiled.ts"
import { requires } from "../../test/requires.ts"
import { AuthorizedServer } from "./AuthorizedServer.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { Running } from "../support/Running.ts"
import { anyThread, type Begun, LoginWorld } from "./LoginWorld.ts"

const commandLine = join(import.meta.dirname, "../../packages/cli/bin/troupe.mjs")

requires("postgres")("An MCP server that wants people to log in", () => {
  let world: LoginWorld
  let server: AuthorizedServer
  let serverId: string
  let session: Begun

  beforeAll(async () => {
    world = await LoginWorld.start()
  }, 180_000)
  afterAll(() => world.end(), 60_000)
  beforeEach(async () => {
    server = await AuthorizedServer.start()
    serverId = await world.register(server.url)
    session = await world.begin(serverId)
  })
  afterEach(async () => {
    await world.leave(session)
    await server.end()
  })

  const path = (end: string) => `/v1/mcp_servers/${serverId}/${end}`
  const status = async () => (await world.made("GET", path("authorization"))).status
  const troupe = (...args: ReadonlyArray<string>) =>
    new Running(
      spawn(process.execPath, [commandLine, "mcp", ...args], {
        env: {
          PATH: process.env["PATH"] ?? "",
          ...compiled,
          TROUPE_SERVER: world.gateway.node.gateway,
          TROUPE_API_KEY: apiKey
        },
        stdio: ["ignore", "pipe", "pipe"]
      })
    )
  const begun = async (input: Json = {}) => await world.made("POST", path("authorize"), input)
  const logIn = async (input: Json = {}) => await world.logIn((await begun(input)).authorization_url)
  /** What the workspace's log has of logins, the newest first. */
  const facts = () =>
    world.gateway.node.run(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const rows = yield* sql<{ readonly type: string }>`
          SELECT type FROM events WHERE type LIKE 'McpServerAuthoriz%' ORDER BY (xid, position) DESC`
        return rows.map(({ type }) => type)
      }).pipe(Effect.orDie)
    )

  it("lets sessions in once somebody has, and shows no token to anybody else", async () => {
    assert.strictEqual(await status(), "none")
    const { remedy, told } = await world.turn(session)
    assert.deepInclude(remedy, { server_id: serverId, path: path("authorize") })
    assert.include(told[0]?.message, `troupe mcp login ${serverId}`)
    const { authorization_url: address } = await begun()
    assert.strictEqual(await status(), "pending")
    const page = await world.logIn(address)
    assert.strictEqual(page.status, 200)
    assert.include(page.text, "Connected")
    const shown = await world.made("GET", path("authorization"))
    assert.deepInclude(shown, { status: "connected", grant: "authorization_code", scope: "use", renewable: true })
    assert.deepInclude(shown, { issuer: server.origin, client_id: "registered" })
    assert.strictEqual((await world.made("GET", `/v1/mcp_servers/${serverId}`)).authorization, "connected")
    const { said } = await world.turn(session)
    assert.deepStrictEqual(said, ["Hello."])
    assert.notMatch(
      JSON.stringify([
        shown,
        page.text,
        told,
        (await world.secrets(session)).map(({ value }) => Redacted.value(value))
      ]),
      /refresh-\d/
    )
  })

  it("takes an end of a login once, and only from whoever has its state", async () => {
    const { back, status: first } = await logIn()
    const again = async (query: string) => (await fetch(`${world.gateway.node.gateway}${query}`)).status
    assert.strictEqual(first, 200)
    assert.strictEqual(await again(back), 400)
    assert.strictEqual(await again("/mcp/callback?state=guessed&code=a-code"), 400)
    assert.strictEqual(await again("/mcp/callback"), 400)
    assert.strictEqual(server.asked.length, 1)
  })

  it("leads back to the console whoever left from there", async () => {
    const { authorization_url: address } = await begun({ back_to: "console" })
    const { back } = await world.leaveFor(address)
    const arrived = await fetch(`${world.gateway.node.gateway}${back}`, { redirect: "manual" })
    const page = `/w/${session.workspaceId}/mcp/${serverId}`
    assert.deepStrictEqual([arrived.status, arrived.headers.get("location")], [303, page])
    assert.strictEqual(await status(), "connected")
    server.agrees = false
    const refused = await world.logIn((await begun({ back_to: "console" })).authorization_url)
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, `href="${page}"`)
    assert.strictEqual((await world.ask("POST", path("authorize"), { back_to: "https://evil.example" })).status, 400)
  })

  it("stays as it was where somebody does not agree", async () => {
    server.agrees = false
    const page = await logIn()
    assert.strictEqual(page.status, 400)
    assert.include(page.text, "access_denied")
    assert.strictEqual(await status(), "none")
  })

  it("is sent a new token after the old one has ended, without a person", async () => {
    await logIn()
    server.expire()
    const { said, told } = await world.turn(session)
    assert.deepStrictEqual([said, told], [["Hello."], []])
    assert.deepStrictEqual(server.asked, ["authorization_code", "refresh_token"])
  })

  it("is asked for a new token once, however many want it on whatever node", async () => {
    await logIn()
    const other: TestNode = await startNode(world.gateway.database, {}, NoRunners.layer, {
      egressAllow: [new URL(server.origin).host]
    })
    try {
      server.expire()
      const [known] = await world.secrets(session)
      const ask = async (node: TestNode) => await newest(node, session, known!.version)
      const nodes = Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? other : world.gateway.node))
      const given = await Promise.all(nodes.map(ask))
      assert.deepStrictEqual(new Set(given.map(({ version }) => version)).size, 1)
      for (const { value } of given) assert.include(value, server.token)
      assert.deepStrictEqual(server.asked, ["authorization_code", "refresh_token"])
      assert.strictEqual(server.reused, 0)
    } finally {
      await other.end()
    }
  })

  it("wants a person again where the tokens are renewed no more, and the session goes on", async () => {
    await logIn()
    server.expire()
    server.renews = false
    const { remedy } = await world.turn(session)
    assert.deepInclude(remedy, { server_id: serverId })
    const shown = await world.made("GET", path("authorization"))
    assert.deepInclude(shown, { status: "login_required", renewable: false })
    assert.match(shown.reason, /invalid_grant/)
    assert.notMatch(shown.reason, /refresh-\d/)
    assert.strictEqual((await logIn()).status, 200)
    assert.deepStrictEqual((await world.turn(session)).said, ["Hello."])
    const [third, second, first] = await facts()
    assert.deepStrictEqual(
      [first, second, third],
      ["McpServerAuthorized", "McpServerAuthorizationEnded", "McpServerAuthorized"]
    )
  })

  it("is sent nothing any more once it is forgotten, or is somewhere else", async () => {
    await logIn()
    assert.strictEqual((await world.made("DELETE", path("authorization"))).status, "none")
    assert.isNotNull((await world.turn(session)).remedy)
    await logIn()
    await world.made("POST", `/v1/mcp_servers/${serverId}`, { server: { type: "url", url: `${server.origin}/other` } })
    assert.strictEqual(await status(), "none")
    assert.deepStrictEqual(await world.secrets(session), [])
  })

  it("is logged in to, and out of, from a command line", async () => {
    const { name } = await world.made("GET", `/v1/mcp_servers/${serverId}`)
    const login = troupe("login", name)
    await login.says("this command waits for it:\n")
    assert.strictEqual((await world.logIn(/https?:\S+/.exec(login.said.stderr)![0])).status, 200)
    const { code, stderr, stdout } = await login.end()
    assert.deepStrictEqual([code, stdout], [0, `Agents may use ${name} now.\n`], stderr)
    // Who has logged in before waits for the login of now.
    const again = troupe("login", serverId, "--scope", "more", "--json")
    await again.says("this command waits for it:\n")
    await world.logIn(/https?:\S+/.exec(again.said.stderr)![0])
    const authorization = JSON.parse((await again.end()).stdout)
    assert.deepInclude(authorization, { status: "connected", grant: "authorization_code" })
    assert.notMatch(login.all + again.all, /refresh-\d/)
    const ends = [troupe("list"), troupe("login", "nowhere"), troupe("login", name, "--client", "/nowhere.json")]
    const [listed, refused, unread] = await Promise.all(ends.map((one) => one.end()))
    assert.match(listed!.stdout, new RegExp(`${name} +connected`))
    assert.deepStrictEqual([refused!.code, refused!.stdout], [4, ""])
    assert.include(refused!.stderr, "There is no MCP server nowhere.\ntroupe mcp list")
    assert.deepStrictEqual([unread!.code, unread!.stdout], [2, ""])
    assert.include(unread!.stderr, "/nowhere.json can't be read as JSON")
    const out = await troupe("logout", name).end()
    assert.deepStrictEqual([out.code, out.stdout], [0, `Nobody is logged in to ${name} any more.\n`], out.stderr)
    assert.strictEqual(await status(), "none")
  }, 120_000)

  it("leads nowhere that is not public, whoever it says that it trusts", async () => {
    const refusal = async () => (await world.ask("POST", path("authorize"), {})).body.error
    const { host } = new URL(Redacted.value(world.gateway.database.appUrl))
    const database = `http://${host}`
    for (const address of ["http://10.1.2.3", "http://169.254.169.254", database]) {
      server.names = address
      assert.match((await refusal()).message, /is refused \((address_not_public|own_service)\)/, address)
    }
    server.names = "file:///etc/passwd"
    assert.strictEqual((await refusal()).details.error_code, "mcp_authorization_failed")
  })

  it("is nobody's to log in to but the workspace's, and asked for nothing that can't be meant", async () => {
    const stranger = await asStranger(world.gateway)
    for (const [method, end] of [
      ["POST", "authorize"],
      ["GET", "authorization"],
      ["DELETE", "authorization"]
    ] as const) {
      assert.strictEqual((await stranger(method, path(end), method === "POST" ? {} : undefined)).status, 404)
    }
    const client = { client_id: "c", client_secret: "a secret" }
    const identity = { token_endpoint: "https://idp.example/token", id_token: "a token", client_id: "us" }
    for (const input of [
      { grant: "client_credentials" },
      { client: { ...client, private_key: "none", signing_algorithm: "ES256" } },
      { client: { client_id: "c", private_key: "none", signing_algorithm: "ES256" } },
      { client: { client_id: "c", token_endpoint_auth_method: "client_secret_post" } },
      { client, grant: "cross_app_access" },
      { client, identity },
      { client: { client_id: "c" }, grant: "cross_app_access", identity },
      { client, grant: "cross_app_access", identity: { ...identity, token_endpoint: "nowhere" } },
      { scope: 'a"b' }
    ]) {
      assert.strictEqual((await world.ask("POST", path("authorize"), input)).status, 400, JSON.stringify(input))
    }
    const stdio = await world.made("POST", "/v1/mcp_servers", {
      name: `program ${serverId}`,
      server: { type: "stdio", command: "program" }
    })
    assert.strictEqual((await world.ask("POST", `/v1/mcp_servers/${stdio.id}/authorize`, {})).status, 400)
  })
})

/** What a runner is given that says that this version did not work. */
const newest = async (node: TestNode, { sessionId, workspaceId }: Begun, version: number) => {
  const of = { sessionId, workspaceId, threadId: anyThread }
  const found = await node.run(Effect.flatMap(SecretSource, (source) => source.refresh(of, "mcp/suite", version)))
  return { version: found.version, value: Redacted.value(found.value) }
}
