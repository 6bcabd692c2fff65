import { once } from "node:events"
import { Agent, type IncomingMessage, request } from "node:http"
import { apiKey } from "../../../packages/server/test/support/apiKey.ts"

const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
const headers = { "x-api-key": apiKey }

const respond = (origin: string, method: string, path: string, body?: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const sized =
      body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    request(`${origin}${path}`, { agent, method, headers: { ...headers, ...sized } })
      .once("response", resolve)
      .once("error", reject)
      .end(body)
  })

const textOf = async (response: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${text.slice(0, 500)}`)
  return text
}

export const get = async (origin: string, path: string): Promise<string> => textOf(await respond(origin, "GET", path))

export const post = async (origin: string, path: string, body: string): Promise<string> =>
  textOf(await respond(origin, "POST", path, body))

/** Sends something, and is content with any answer but a refusal. */
export const send = async (method: "PUT" | "POST", origin: string, path: string, body?: string): Promise<void> => {
  const response = await respond(origin, method, path, body)
  response.resume()
  if ((response.statusCode ?? 500) >= 300) throw new Error(`${method} ${path} is answered with ${response.statusCode}`)
  await once(response, "end")
}

// oxlint-disable-next-line typescript/no-explicit-any -- what the API answers is looked into by the benches
export const make = async (origin: string, path: string, body: unknown): Promise<any> =>
  JSON.parse(await post(origin, path, JSON.stringify(body)))

const end = Buffer.from("\n\n")
const ping = Buffer.from("event: ping")

export interface Following {
  readonly close: () => void
}

/** Follows a stream of events on a connection of its own, and tells of each frame; it resolves once headers are there. */
export const follow = async (origin: string, path: string, heard: (frame: Buffer) => void): Promise<Following> => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${origin}${path}`, { agent: new Agent({ keepAlive: false }), headers })
      .once("response", resolve)
      .once("error", reject)
      .end()
  })
  if (response.statusCode !== 200) throw new Error(`The stream is answered with ${response.statusCode}`)
  let rest: Buffer = Buffer.alloc(0)
  response.on("data", (chunk: Buffer) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let at = all.indexOf(end); at >= 0; at = all.indexOf(end, from)) {
      const frame = all.subarray(from, at)
      from = at + end.length
      if (!frame.subarray(0, ping.length).equals(ping)) heard(frame)
    }
    rest = all.subarray(from)
  })
  return { close: () => response.destroy() }
}
