import { Effect } from "effect"
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type S3Key, signed } from "../../src/files/s3Signature.ts"

export interface S3Server {
  readonly endpoint: string
  readonly objects: Map<string, Buffer>
  /** Why requests were refused. */
  readonly refusals: Array<string>
}

const sent = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Array<Buffer> = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

/** Why a bucket would not take a request: its signature, made anew of what arrived, is another; or its body is. */
const wrong = (request: IncomingMessage, body: Buffer, key: S3Key): string | null => {
  const { authorization = "", host } = request.headers
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? []
  const own = new Set(["host", "x-amz-date", "x-amz-content-sha256"])
  const date = String(request.headers["x-amz-date"]).replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
    "$1-$2-$3T$4:$5:$6Z"
  )
  const sha256 = String(request.headers["x-amz-content-sha256"])
  if (createHash("sha256").update(body).digest("hex") !== sha256) return "XAmzContentSHA256Mismatch"
  const headers = Object.fromEntries(
    names.filter((name) => !own.has(name)).map((name) => [name, String(request.headers[name])])
  )
  const url = new URL(`http://${host}${request.url}`)
  const expected = signed({ method: request.method!, url, headers, sha256 }, key, new Date(date))
  return expected["authorization"] === authorization ? null : "SignatureDoesNotMatch"
}

/** A bucket on the loopback that holds each request to its signature. */
export const s3Server = (key: S3Key) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const objects = new Map<string, Buffer>()
      const refusals: Array<string> = []
      const answer = async (request: IncomingMessage, response: ServerResponse) => {
        const body = await sent(request)
        const refusal = wrong(request, body, key)
        if (refusal !== null) {
          refusals.push(refusal)
          response.writeHead(403).end(`<Error><Code>${refusal}</Code></Error>`)
          return
        }
        const name = request.url!
        const found = objects.get(name)
        if (request.method === "PUT") {
          objects.set(name, body)
          response.writeHead(200).end()
        } else if (request.method === "DELETE") {
          objects.delete(name)
          response.writeHead(204).end()
        } else if (found === undefined) {
          response.writeHead(404).end()
        } else {
          const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
          const part = first === undefined ? found : found.subarray(Number(first), Number(last) + 1)
          response.writeHead(first === undefined ? 200 : 206, { "content-length": part.length })
          response.end(request.method === "HEAD" ? undefined : part)
        }
      }
      const server = createServer((request, response) => void answer(request, response))
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as AddressInfo
      return { server, made: { endpoint: `http://127.0.0.1:${port}`, objects, refusals } satisfies S3Server }
    }),
    ({ server }) =>
      Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            server.closeAllConnections()
            server.close(() => resolve())
          })
      )
  ).pipe(Effect.map(({ made }) => made))
