import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { WorkspaceId } from "@troupe/domain/Ids"
import { register } from "../support/TestNode.ts"
import { type GatewayWorld, startGateway } from "../gateway/gatewayWorld.ts"
import { asking, bearer, type Headings, strangersKey } from "./accessWorld.ts"
import { written } from "./written.ts"
import { bodyOf, type Endpoint, endpoints, pathOf, searchOf, valuesOf, withIds } from "./endpoints.ts"

/** An id of ours that nothing has. */
const unknown = (prefix: string) => `${prefix}_011CZkZAtmR3yMPDzynEDxu7`

/** What a token that is for an end user's sessions may be used for besides these. All else is closed, new parts too. */
const openToUsers: ReadonlySet<string> = new Set([
  "createSession",
  "listSessions",
  "whoAmI",
  "clientConfig",
  "logIn",
  "logOut",
  "createToken",
  // It asks for each session by itself.
  "openFeed",
  "openRpc",
  // Its address lets in who has it, whoever that is.
  "sendUpload"
])

describe("what belongs to somebody else", { timeout: 180_000 }, () => {
  let world: GatewayWorld
  let stranger: Headings
  let user: Headings
  /** One of each kind, by the prefixes of their ids. */
  const ours = new Map<string, string>()
  /** What the stranger has, so that requests come as far as what they name of ours. */
  const theirs = new Map<string, string>()
  const { get, post, own } = asking(() => world)

  const keep = (id: string) => {
    ours.set(/^([a-z]+)_/.exec(id)![1]!, id)
    return id
  }

  beforeAll(async () => {
    world = await startGateway()
    stranger = bearer(await strangersKey(world))
    const agent = keep((await post("/v1/agents", { name: "our secret agent", model: "demo" })).body.id)
    const environment = keep(
      (await post("/v1/environments", { name: "our secret environment", config: { type: "cloud" } })).body.id
    )
    const session = keep(
      (await post("/v1/sessions", { agent, environment_id: environment, title: "our secret session" })).body.id
    )
    keep((await get(`/v1/sessions/${session}/threads`)).body.data[0].id)
    const said = { type: "user.message", content: [{ type: "text", text: "our secret words" }] }
    keep((await post(`/v1/sessions/${session}/events`, { events: [said] })).body.data[0].id)
    const server = { name: "our-secret-server", server: { type: "url", url: "https://example.com/mcp" } }
    keep((await post("/v1/mcp_servers", server)).body.id)
    const theirAgent = (await post("/v1/agents", { name: "a", model: "demo" }, stranger)).body.id
    const theirSession = (await post("/v1/sessions", { agent: theirAgent }, stranger)).body.id
    const theirEnvironment = (await post("/v1/environments", { name: "e" }, stranger)).body.id
    for (const id of [theirAgent, theirSession, theirEnvironment]) theirs.set(/^([a-z]+)_/.exec(id)![1]!, id)
    keep((await post("/v1/tokens", { kind: "api_key", name: "our secret key", scopes: ["read"] })).body.id)
    const workspace = WorkspaceId.make(keep((await get("/v1/me")).body.workspace.id))
    keep((await register(world.node, workspace, { name: "our secret runner" })).runnerId)
    const form = new FormData()
    form.append("file", new Blob(["our secret file"]), "secret.txt")
    const uploaded = await fetch(`${world.node.gateway}/v1/files`, { method: "POST", body: form, headers: own })
    const file = keep(((await uploaded.json()) as { id: string }).id)
    keep((await post(`/v1/sessions/${session}/resources`, { type: "file", file_id: file })).body.id)
    const made = await post("/v1/tokens", {
      kind: "end_user",
      subject: "another",
      scopes: ["read", "write", "approve"]
    })
    user = bearer(made.body.secret)
  }, 120_000)
  afterAll(() => world?.end())

  const ask = async (
    endpoint: Endpoint,
    who: Headings,
    idOf: (prefix: string) => string,
    { at = idOf, sent }: { readonly at?: (prefix: string) => string; readonly sent?: unknown } = {}
  ) => {
    const params = withIds(valuesOf(endpoint.params, 1, 1)[0] ?? {}, at) as Record<string, string>
    // A page of a list is asked for with what the list itself made.
    const { page: _, ...query } = (withIds(valuesOf(endpoint.query, 1, 1)[0], idOf) ?? {}) as Record<string, unknown>
    const [first] = valuesOf(endpoint.body, 1, 1)
    const { body, headers } = bodyOf(endpoint, withIds(sent ?? first, idOf))
    // The door refuses NUL characters whoever asks, and says nothing of anybody.
    const search = searchOf(query).replaceAll("%00", "")
    const response = await fetch(`${world.node.gateway}${pathOf(endpoint, params)}${search}`, {
      method: endpoint.method,
      headers: { ...headers, ...who },
      ...(body === undefined ? {} : { body })
    })
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true
    if (isStream) await response.body?.cancel()
    return { status: response.status, text: isStream ? "" : await response.text() }
  }
  const anothers = (prefix: string) => ours.get(prefix) ?? unknown(prefix)
  const nobodys = (prefix: string) => unknown(prefix)

  /** A refusal without what differs from request to request. */
  const plain = (text: string) =>
    [...ours].reduce(
      (said, [prefix, id]) => said.replaceAll(id, unknown(prefix)),
      text.replace(/"request_id":"\w+"/, "")
    )

  const snapshot = async () => {
    const paths = ["agent", "env", "sesn", "file"].map((prefix) => {
      const collection = { agent: "agents", env: "environments", sesn: "sessions", file: "files" }[prefix]!
      return `/v1/${collection}/${ours.get(prefix)}`
    })
    const seen = await Promise.all(paths.map(async (path) => (await get(path)).body as Record<string, unknown>))
    return seen.map(({ stats: _, ...one }) => one)
  }

  const named = endpoints.filter(({ params }) => params !== undefined)
  const unnamed = endpoints.filter(({ params }) => params === undefined)

  it.each(named.map((one) => [one.name, one] as const))(
    "looks to %s of another workspace as if it were not there",
    async (_, endpoint) => {
      const theirs = await ask(endpoint, stranger, anothers)
      const none = await ask(endpoint, stranger, nobodys)
      assert.deepStrictEqual([theirs.status, plain(theirs.text)], [none.status, plain(none.text)])
      assert.include(endpoint.method === "POST" || endpoint.method === "PUT" ? [400, 404] : [404], theirs.status)
    }
  )

  const within = (idOf: (prefix: string) => string) => (prefix: string) => theirs.get(prefix) ?? idOf(prefix)

  it.each(named.filter(({ path }) => path.split(":").length > 2).map((one) => [one.name, one] as const))(
    "looks to %s within what is somebody else's own as if it were not there",
    async (_, endpoint) => {
      const [found, none] = [
        await ask(endpoint, stranger, within(anothers)),
        await ask(endpoint, stranger, within(nobodys))
      ]
      assert.deepStrictEqual([found.status, plain(found.text)], [none.status, plain(none.text)])
      assert.isAtLeast(found.status, 400)
    }
  )

  const prefixesIn = (body: unknown) =>
    new Set(Array.from(JSON.stringify(body).matchAll(/"([a-z]+)_011/g), ([, prefix]) => prefix!))

  // Where several unknown things are named, the first one is told of; and strangers have no turn that could be edited.
  const namingOne = endpoints.flatMap((endpoint) =>
    (written[endpoint.name] ?? []).flatMap((sent, n) =>
      prefixesIn(sent).size > 2 || endpoint.name === "editTurn" ? [] : [[endpoint.name, n, endpoint, sent] as const]
    )
  )

  it.each(namingOne)("is not there for what %s names in a body (%i)", async (_, __, endpoint, sent) => {
    for (const prefix of prefixesIn(sent)) {
      const naming = (id: string) => (other: string) => (other === prefix ? id : (theirs.get(other) ?? unknown(other)))
      const at = within(nobodys)
      const found = await ask(endpoint, stranger, naming(ours.get(prefix)!), { at, sent })
      const none = await ask(endpoint, stranger, naming(unknown(prefix)), { at, sent })
      assert.deepStrictEqual([found.status, plain(found.text)], [none.status, plain(none.text)], prefix)
      assert.include([400, 404], found.status, `${prefix} ${found.text}`)
      // It came as far as the id, and was not refused for something else.
      assert.include(plain(found.text), unknown(prefix))
    }
  })

  it.each(unnamed.map((one) => [one.name, one] as const))(
    "is in no answer to %s of another workspace",
    async (_, one) => {
      const { text } = await ask(one, stranger, anothers)
      assert.notInclude(text, "our secret")
      const names = one.body === undefined ? [] : [JSON.stringify(withIds(valuesOf(one.body, 1, 1)[0], anothers))]
      for (const id of ours.values()) {
        // Answers may say what was asked for.
        if (!names.some((asked) => asked.includes(id)) && one.query === undefined) assert.notInclude(text, id)
      }
    }
  )

  it.each(endpoints.map((one) => [one.name, one] as const))(
    "is shut to %s with another end user's token",
    async (name, endpoint) => {
      const { status, text } = await ask(endpoint, user, anothers)
      assert.notInclude(text, "our secret")
      if (!openToUsers.has(name)) assert.include([403, 404], status, text)
    }
  )

  it("is as it was, after all of that", async () => {
    const before = await snapshot()
    for (const endpoint of endpoints) {
      if (endpoint.name === "logIn") continue
      await ask(endpoint, stranger, anothers)
      if (!openToUsers.has(endpoint.name)) await ask(endpoint, user, anothers)
    }
    assert.deepStrictEqual(await snapshot(), before)
    assert.lengthOf(before, 4)
    for (const one of before) assert.match(JSON.stringify(one), /our secret|secret\.txt/)
  })

  it("is asked for in every part of the API that has ids", () => {
    assert.isAbove(named.length, 20)
    assert.includeMembers(
      [...ours.keys()],
      ["agent", "env", "sesn", "sthr", "sevt", "sesrsc", "tok", "file", "mcpsrv", "wrkspc", "rnr"]
    )
  })
})
