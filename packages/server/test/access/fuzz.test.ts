import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mintId, type Prng, prng } from "../../../../test/support/Prng.ts"
import { prefixes, type IdKind } from "@troupe/domain/Ids"
import { apiKey } from "../support/apiKey.ts"
import { type GatewayWorld, startGateway } from "../gateway/gatewayWorld.ts"
import { asking, bearer, type Headings, strangersKey } from "./accessWorld.ts"
import { aliases, type Endpoint, bodyOf, endpoints, pathOf, searchOf, valuesOf, withIds } from "./endpoints.ts"
import { FuzzTable } from "./FuzzTable.ts"
import {
  brokenBodies,
  spoil,
  strangeCursor,
  strangeHeaders,
  strangeNumbers,
  strangeParts,
  strangeQueries
} from "./hostile.ts"
import { written } from "./written.ts"

const full = process.env["TROUPE_FULL"] === "1"
const seed = Number(process.env["TROUPE_SEED"] ?? 1)
/** For each endpoint, of which some have nothing strange about them: what is found is to be found. */
const requests = full ? 400 : 16
const plainly = full ? 40 : 4
const atOnce = 6
const answerWithinMs = 60_000

interface Operation {
  readonly operationId: string
  readonly parameters: ReadonlyArray<object>
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** A browser's coming and going, a runner's coming, and what its address alone makes once. */
const unkeyed = ["logIn", "logOut", "sendUpload", "registerRunner"]
/** These need more than a body to come as far as their key; the tests of each send it twice. */
const elsewhere = ["sendMessage", "execStream", "writeWorkingFile"]
/** These make nothing, or the same again, and are answered anew each time. */
const anew = ["createUpload", "authorizeMcpServer", "probeMcpServer"]
/** Who asks for these again learns that they were done, and not the secret. */
const secretive = ["createToken", "createWorkspaceToken", "createLoginLink"]

interface Sent {
  readonly endpoint: Endpoint
  readonly url: string
  readonly init: RequestInit
}

const kinds = Object.keys(prefixes) as Array<IdKind>

const all = [...endpoints, ...aliases]

/** What takes things away comes last, or there would be nothing for the others. */
const takesAway = ({ method, name }: Endpoint): boolean =>
  method === "DELETE" || /^(archive|delete|remove|revoke|logOut)/.test(name)
const inOrder = [...all].sort((one, other) => Number(takesAway(one)) - Number(takesAway(other)))

describe("whatever is sent", { timeout: full ? 1_800_000 : 300_000 }, () => {
  let world: GatewayWorld
  let headers: Headings
  /** What runners come with, to the one door that is for them. */
  let registration: Headings
  const pool = new Map<string, Array<string>>()
  /** What is somebody else's, of each kind. */
  const theirs = new Map<string, string>()
  /** Addresses of further pages, as lists named them. */
  const pages = new Map<string, Array<URL>>()
  const broken: Array<unknown> = []
  const note = (error: unknown) => broken.push(error)
  const { get, own, post } = asking(() => world)

  const keep = (id: string) => {
    const prefix = id.slice(0, id.indexOf("_"))
    pool.set(prefix, [...(pool.get(prefix) ?? []), id].slice(-20))
    return id
  }

  beforeAll(async () => {
    process.on("unhandledRejection", note)
    world = await startGateway()
    // What belongs to another workspace is not to be seen in any answer.
    const stranger = bearer(await strangersKey(world))
    const marked = await post("/v1/agents", { name: "marked-as-theirs", model: "demo" }, stranger)
    theirs.set("agent", marked.body.id)
    const anothers = await post("/v1/sessions", { agent: marked.body.id, title: "marked-as-theirs" }, stranger)
    theirs.set("sesn", anothers.body.id)
    const agent = keep((await post("/v1/agents", { name: "ours", model: "demo" })).body.id)
    const upload = async (who: Headings, content: string) => {
      const form = new FormData()
      form.append("file", new Blob([content], { type: "text/plain" }), "a.txt")
      const uploaded = await fetch(`${world.node.gateway}/v1/files`, { method: "POST", body: form, headers: who })
      return ((await uploaded.json()) as { id: string }).id
    }
    theirs.set("file", await upload(stranger, "marked-as-theirs"))
    keep(await upload(own, "ours"))
    keep((await post("/v1/environments", { name: "ours", config: { type: "cloud" } })).body.id)
    const initial_events = ["one", "two"].map((text) => ({ type: "user.message", content: [{ type: "text", text }] }))
    keep((await post("/v1/environments", { name: "their own", config: { type: "self_hosted" } })).body.id)
    for (let n = 0; n < 2; n++) keep((await post("/v1/sessions", { agent, initial_events })).body.id)
    for (const part of ["threads", "turns", "events"]) {
      const { text } = await get(`/v1/sessions/${pool.get("sesn")![0]}/${part}`)
      for (const [, id] of text.matchAll(/"id":"([a-z]+_01\w{22})"/g)) keep(id!)
    }
    const made = await post("/v1/tokens", { kind: "api_key", name: "fuzz", scopes: ["admin"] })
    headers = bearer(made.body.secret)
    registration = bearer((await post("/v1/tokens", { kind: "runner_registration", name: "fuzz" })).body.secret)
  }, 120_000)
  afterAll(async () => {
    process.off("unhandledRejection", note)
    await world?.end()
  })

  const someId = (random: Prng, isPlain: boolean) => (prefix: string, id: string) => {
    const known = pool.get(prefix)
    if (isPlain && known !== undefined) return random.pick(known)
    const others = theirs.get(prefix)
    if (others !== undefined && random.chance(0.2)) return others
    if (known !== undefined && random.chance(0.7)) return random.pick(known)
    const kind = kinds.find((one) => prefixes[one] === prefix)
    return kind !== undefined && random.chance(0.5) ? mintId(random, kind) : id
  }

  /** Now and then another number where one stands: a schema draws only small ones. */
  const withNumbers = (random: Prng, values: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        /^-?\d+$/.test(String(value)) && random.chance(0.5) ? random.pick(strangeNumbers) : (value as unknown)
      ])
    )

  const pageOf = ({ name }: Endpoint, random: Prng): string | null => {
    const known = pages.get(name)
    if (known === undefined) return null
    const page = new URL(random.pick(known))
    if (random.chance(0.5)) page.searchParams.set("page", strangeCursor(random, page.searchParams.get("page")!))
    return page.href
  }

  const keepPage = ({ name }: Endpoint, url: string, cursor: string) => {
    const page = new URL(url)
    page.searchParams.set("page", cursor)
    pages.set(name, [...(pages.get(name) ?? []), page].slice(-20))
  }

  /** As the contract would have it: with what is there, and what the rules behind the schemas take. */
  const drawPlain = (endpoint: Endpoint, random: Prng): Sent => {
    const among = (schema: Endpoint["params"]) => withIds(random.pick(valuesOf(schema, 12, seed)), someId(random, true))
    const path = pathOf(endpoint, (among(endpoint.params) ?? {}) as Record<string, string>)
    const url = `${world.node.gateway}${path}${searchOf(random.chance(0.5) ? {} : among(endpoint.query))}`
    const own = endpoint.name === "registerRunner" ? registration : headers
    if (endpoint.method === "GET") return { endpoint, url, init: { method: "GET", headers: own } }
    const examples = written[endpoint.contract]
    const value = examples === undefined ? among(endpoint.body) : withIds(random.pick(examples), someId(random, true))
    const sent = bodyOf(endpoint, value)
    return { endpoint, url, init: { method: endpoint.method, ...sent, headers: { ...own, ...sent.headers } } }
  }

  const draw = (endpoint: Endpoint, random: Prng): Sent => {
    const among = (schema: Endpoint["params"]) => random.pick(valuesOf(schema, 12, seed))
    const params = withIds(among(endpoint.params) ?? {}, someId(random, false)) as Record<string, string>
    let path = pathOf(endpoint, withNumbers(random, params) as Record<string, string>)
    if (random.chance(0.15)) path = endpoint.path.replaceAll(/:\w+/g, () => random.pick(strangeParts))
    const query = withNumbers(random, withIds(among(endpoint.query) ?? {}, someId(random, false)) as object)
    // So that lists have further pages.
    if (random.chance(0.3)) query["limit"] = "1"
    const search = random.chance(0.3) ? `?${random.pick(strangeQueries)}` : searchOf(query)
    const sentWith = {
      ...(endpoint.name === "registerRunner" ? registration : headers),
      ...random.pick(strangeHeaders)
    }
    const method = random.chance(0.03)
      ? random.pick(["PATCH", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
      : endpoint.method
    const url = random.chance(0.3)
      ? (pageOf(endpoint, random) ?? `${world.node.gateway}${path}`)
      : `${world.node.gateway}${path}${search}`
    if (method === "GET") return { endpoint, url, init: { method, headers: sentWith } }
    if (random.chance(0.15)) {
      const [body, type] = random.pick(brokenBodies)
      return { endpoint, url, init: { method, headers: { ...sentWith, "content-type": type }, body } }
    }
    const examples = written[endpoint.contract]
    const drawn = examples !== undefined && random.chance(0.6) ? random.pick(examples) : among(endpoint.body)
    const value = withIds(drawn, someId(random, false))
    const sent = bodyOf(endpoint, random.chance(0.5) ? spoil(random, value) : value)
    return { endpoint, url, init: { method, ...sent, headers: { ...sentWith, ...sent.headers } } }
  }

  const table = new FuzzTable()

  /** Everything that may be said of any answer. */
  const judge = async ({ endpoint, init, url }: Sent) => {
    const sent = performance.now()
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(answerWithinMs) })
    const { status } = response
    table.note(endpoint.name, status, performance.now() - sent)
    const said = () =>
      `${endpoint.name} ${init.method} ${url.slice(0, 300)} ${String(init.body).slice(0, 600)} -> ${status}`
    assert.match(response.headers.get("request-id") ?? "", /^req_\w+$/, said())
    const type = response.headers.get("content-type") ?? ""
    if (type.startsWith("text/event-stream")) return await response.body?.cancel()
    const text = await response.text()
    assert.notInclude(text, "marked-as-theirs", said())
    assert.isTrue(status < 500 || status === 503 || status === 529, `${said()} ${text.slice(0, 600)}`)
    if (status < 400) {
      const answer = type.startsWith("application/json") ? (JSON.parse(text) as Record<string, unknown> | null) : null
      if (typeof answer?.["id"] === "string" && init.method === "POST") keep(answer["id"])
      if (typeof answer?.["next_page"] === "string") keepPage(endpoint, url, answer["next_page"])
      return
    }
    const problem = JSON.parse(text) as { type: string; error: { type: string; message: string }; request_id: string }
    assert.strictEqual(problem.type, "error", said())
    assert.match(problem.error.type, /_error$|^request_too_large$/, said())
    assert.isNotEmpty(problem.error.message, said())
    assert.strictEqual(problem.request_id, response.headers.get("request-id"), said())
  }

  it.each(inOrder.map((one) => [one.name, one, all.indexOf(one)] as const))(
    "to %s is answered in the contract's way",
    async (_, endpoint, at) => {
      const random = prng(seed).fork(at)
      const drawn = Array.from({ length: requests }, (_, n) =>
        n < plainly ? drawPlain(endpoint, random) : draw(endpoint, random)
      )
      for (let n = 0; n < drawn.length; n += atOnce) await Promise.all(drawn.slice(n, n + atOnce).map(judge))
    }
  )

  it("comes by every method that is taken where it is sent", async () => {
    const patterns = all.map(({ method, path }) => ({
      method,
      at: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`)
    }))
    for (const path of new Set(all.map((one) => one.path.replaceAll(/:\w+/g, "x")))) {
      const { headers: heard, status } = await fetch(`${world.node.gateway}${path}`, { method: "PATCH" })
      const methods = patterns.flatMap(({ at, method }) => (at.test(path) ? [method] : []))
      assert.strictEqual(status, 405, path)
      assert.sameMembers(heard.get("allow")!.split(", "), [...new Set(methods)], path)
    }
  })

  it("is done once under its key, wherever something is written", async () => {
    const description = (await (await fetch(`${world.node.gateway}/openapi.json`)).json()) as Description
    const operations = Object.values(description.paths).flatMap((methods) => Object.values(methods))
    const isKeyed = ({ parameters }: Operation) => JSON.stringify(parameters).includes("IdempotencyKey")
    const keyed = new Set(operations.filter(isKeyed).map(({ operationId }) => operationId))
    const writes = endpoints.filter(({ method }) => method !== "GET").map(({ name }) => name)
    assert.sameMembers([...keyed, ...unkeyed], writes)
    const random = prng(seed)
    const idOf = (prefix: string) => mintId(random, kinds.find((kind) => prefixes[kind] === prefix) ?? "Event")
    const twice = async (endpoint: Endpoint, value: unknown, key: string) => {
      const params = withIds(valuesOf(endpoint.params, 1, seed)[0] ?? {}, idOf) as Record<string, string>
      const search = searchOf(valuesOf(endpoint.query, 1, seed)[0])
      const { headers: typed, ...sent } = bodyOf(endpoint, value)
      const init = {
        method: endpoint.method,
        headers: { ...bearer(apiKey), ...typed, "idempotency-key": key },
        ...sent
      }
      const send = async () => {
        const response = await fetch(`${world.node.gateway}${pathOf(endpoint, params)}${search}`, init)
        const text = await response.text()
        return { status: response.status, replayed: response.headers.get("idempotent-replayed"), text }
      }
      return [await send(), await send()] as const
    }
    for (const endpoint of endpoints.filter(({ name }) => keyed.has(name) && ![...elsewhere, ...anew].includes(name))) {
      const { name } = endpoint
      const said: Array<string> = []
      let isKept = false
      for (const value of [...(written[name] ?? []), ...valuesOf(endpoint.body, 12, seed)]) {
        const [first, second] = await twice(endpoint, value, `${name}-${said.length}`)
        said.push(first.text.slice(0, 200))
        // What a schema draws is not always what the rules behind it take.
        if (first.status === 400 && second.replayed === null) continue
        const status = secretive.includes(name) && first.status === 200 ? 409 : first.status
        assert.deepInclude(second, { status, replayed: "true" }, `${name} ${first.text}`)
        isKept = true
        break
      }
      assert.isTrue(isKept, `${name} was never taken: ${said.join("; ")}`)
    }
  })

  it("breaks nothing behind the answers", async ({ task }) => {
    assert.deepStrictEqual(broken, [])
    assert.strictEqual((await fetch(`${world.node.gateway}/readyz`)).status, 200)
    // Both kinds of inputs came that far, or the rest says little.
    const statuses = table.statuses()
    for (const status of [200, 400, 404]) assert.isAbove(statuses.get(status) ?? 0, endpoints.length)
    const taken = endpoints.filter(({ name }) => table.wasTaken(name))
    assert.isAbove(taken.length, endpoints.length * 0.6)
    task.meta.table = table.markdown()
    console.log(`seed ${seed}: ${table.summary()}`)
  })
})
