import { createHash, createHmac } from "node:crypto"

export interface S3Key {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface S3Request {
  readonly method: string
  readonly url: URL
  /** Beside `host` and those that a signature adds. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the body: what arrives is held against it. */
  readonly sha256: string
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest()

/** As the signature wants it: all but the unreserved characters, in upper case. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

const pathOf = ({ pathname }: URL): string =>
  pathname
    .split("/")
    .map((part) => encoded(decodeURIComponent(part)))
    .join("/")

const queryOf = ({ searchParams }: URL): string =>
  [...searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&")

/** The headers of a request with its signature, version 4: who sends it, when, and over which body. */
export const signed = (request: S3Request, key: S3Key, at: Date): Readonly<Record<string, string>> => {
  const { headers, method, url } = request
  const time = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, "")
  const scope = `${time.slice(0, 8)}/${key.region}/s3/aws4_request`
  const all: Record<string, string> = { ...headers, "x-amz-content-sha256": request.sha256, "x-amz-date": time }
  const lines = Object.entries({ ...all, host: url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  const names = lines.map(([name]) => name).join(";")
  const canonical = [
    method,
    pathOf(url),
    queryOf(url),
    ...lines.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    request.sha256
  ].join("\n")
  const secret = mac(mac(mac(mac(`AWS4${key.secretAccessKey}`, time.slice(0, 8)), key.region), "s3"), "aws4_request")
  const signature = mac(secret, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex")
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`
  return { ...all, authorization }
}
