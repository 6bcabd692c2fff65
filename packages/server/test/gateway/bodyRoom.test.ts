import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Context } from "effect"
import { type ClientRequest, type IncomingMessage, request } from "node:http"
import { BodyRoom, Room } from "../../src/gateway/BodyRoom.ts"
import { apiKey } from "../support/apiKey.ts"
import { type Ask, asOwner, made } from "./asking.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

const mebibyte = 1_048_576
const room = new Room(4 * mebibyte)

describe("large requests at once", { timeout: 120_000 }, () => {
  let world: GatewayWorld
  let ask: Ask
  let session: string
  beforeAll(async () => {
    world = await startGateway({}, Context.make(BodyRoom, room))
    ask = asOwner(world)
    const agent = made(await ask("POST", "/v1/agents", { name: "a", model: "demo" })).id
    session = made(await ask("POST", "/v1/sessions", { agent })).id
    made(await ask("POST", `/v1/sessions/${session}/pause`, {}))
  }, 120_000)
  afterAll(() => world?.end())

  /** Passes once the node has taken so much in. */
  const taken = async (is: (bytes: number) => boolean) => {
    for (const end = performance.now() + 30_000; performance.now() < end;) {
      if (is(room.takenBytes)) return
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.fail(`it has ${room.takenBytes} bytes`)
  }

  const message = (bytes: number) =>
    JSON.stringify({ events: [{ type: "user.message", content: [{ type: "text", text: "x".repeat(bytes) }] }] })

  /** Sends a message but for its last character, with which it is whole. */
  const begun = (bytes: number): { readonly request: ClientRequest; readonly end: () => Promise<number> } => {
    const body = message(bytes)
    const headers = { "x-api-key": apiKey, "content-type": "application/json", "content-length": body.length }
    const sending = request(`${world.node.gateway}/v1/sessions/${session}/events`, { method: "POST", headers })
    const status = new Promise<number>((resolve, reject) => {
      sending.once("response", (response: IncomingMessage) => {
        response.resume()
        resolve(response.statusCode!)
      })
      sending.once("error", reject)
    })
    status.catch(() => undefined)
    sending.write(body.slice(0, -1))
    return {
      request: sending,
      end: () => {
        sending.end("}")
        return status
      }
    }
  }

  const send = async (bytes: number) => {
    const response = await world.fetch(`/v1/sessions/${session}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: message(bytes)
    })
    await response.text()
    return response
  }

  it("find room for so much, and are told to come again beyond it, while small ones pass", async () => {
    const some = [begun(1.8 * mebibyte), begun(1.8 * mebibyte)]
    await taken((bytes) => bytes > 3.5 * mebibyte)
    const refused = await send(mebibyte)
    assert.strictEqual(refused.status, 529)
    assert.isAbove(Number(refused.headers.get("retry-after")), 0)
    assert.isNull(refused.headers.get("x-should-retry"))
    assert.strictEqual((await send(1_000)).status, 200)
    assert.deepStrictEqual(await Promise.all(some.map(({ end }) => end())), [200, 200])
    await taken((bytes) => bytes === 0)
    assert.strictEqual((await send(mebibyte)).status, 200)
  })

  it("hold no room that they only announced, and give back what they had when they are gone", async () => {
    const gone = begun(3 * mebibyte)
    await taken((bytes) => bytes > 2.5 * mebibyte)
    const announced = request(`${world.node.gateway}/v1/agents`, {
      method: "POST",
      headers: { "x-api-key": apiKey, "content-type": "application/json", "content-length": 30 * mebibyte }
    })
    announced.on("error", () => undefined)
    announced.write("{")
    assert.strictEqual((await send(0.5 * mebibyte)).status, 200)
    gone.request.on("error", () => undefined).destroy()
    announced.destroy()
    await taken((bytes) => bytes === 0)
  })

  it("do not find it for large answers either", async () => {
    const { id, page } = { id: session, page: "types[]=user.message&limit=1&order=desc" }
    const whole = async () => (await world.fetch(`/v1/sessions/${id}/events?${page}`)).text()
    const size = (await whole()).length
    assert.isAbove(size, 0.5 * mebibyte)
    const full = begun(3.9 * mebibyte)
    await taken((bytes) => bytes > 3.8 * mebibyte)
    const refused = await world.fetch(`/v1/sessions/${id}/events?${page}`)
    assert.strictEqual(refused.status, 529)
    await refused.text()
    assert.strictEqual(await full.end(), 200)
    await taken((bytes) => bytes === 0)
  })

  /** Sends one frame over a socket of its own: what is answered to it, or the code that the socket is closed with. */
  const frame = (text: string) =>
    new Promise<string | number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${apiKey}` }
      const socket = new WebSocket(`${world.node.gateway.replace("http", "ws")}/v1/rpc`, { headers } as never)
      socket.addEventListener("open", () => socket.send(text))
      socket.addEventListener("message", ({ data }) => {
        resolve(String(data))
        socket.close()
      })
      socket.addEventListener("close", ({ code }) => resolve(code))
      socket.addEventListener("error", () => reject(new Error("the socket broke")))
    })
  const call = (bytes: number) => {
    const { events } = JSON.parse(message(bytes)) as { readonly events: unknown }
    return JSON.stringify({
      _tag: "Request",
      id: "1",
      tag: "SendEvents",
      payload: { id: session, events },
      headers: []
    })
  }

  it("are counted where they come as calls over a socket, too", async () => {
    assert.include(String(await frame(call(mebibyte))), `"_tag":"Success"`)
    await taken((bytes) => bytes === 0)
    const full = begun(3.5 * mebibyte)
    await taken((bytes) => bytes > 3.4 * mebibyte)
    assert.strictEqual(await frame(call(mebibyte)), 1013)
    assert.include(String(await frame(call(1_000))), `"_tag":"Success"`)
    assert.strictEqual(await full.end(), 200)
    await taken((bytes) => bytes === 0)
    assert.strictEqual(await frame(`[${"0,".repeat(60_000)}0]`), 4400)
    await taken((bytes) => bytes === 0)
  })
})
