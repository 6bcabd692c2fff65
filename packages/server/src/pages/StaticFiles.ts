import { Effect, Option } from "effect"
import type { Headers } from "effect/http/Headers"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createHash } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
import { extname, join, normalize, sep } from "node:path"

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8"
}

/** Names that a build makes from the content: what is at such an address never changes. */
const hashed = /^\/assets\/.+-[\w-]{8,}\.\w+$/

const encodings = [
  ["br", ".br"],
  ["gzip", ".gz"]
] as const

interface Found {
  readonly bytes: Uint8Array
  readonly encoding: string | null
}

const isFile = async (file: string): Promise<boolean> => {
  try {
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

/** The file at a path of an address, inside the directory and nowhere else. */
const fileAt = (directory: string, path: string): string | null => {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return null
  }
  const file = normalize(join(directory, decoded))
  const hidden = decoded.includes("\0") || decoded.split("/").some((part) => part.startsWith("."))
  return hidden || !file.startsWith(directory + sep) ? null : file
}

const read = async (file: string, accepted: string): Promise<Found | null> => {
  if (!(await isFile(file))) return null
  for (const [encoding, suffix] of encodings) {
    const takes = accepted
      .split(",")
      .some((one) => one.trim().split(";")[0] === encoding && !/;\s*q=0(\.0*)?$/.test(one))
    if (takes && (await isFile(file + suffix))) return { bytes: await readFile(file + suffix), encoding }
  }
  return { bytes: await readFile(file), encoding: null }
}

/** A built file as a browser gets it, or nothing where there is none. */
export const serveFile = Effect.fn("StaticFiles.serve")(function* (
  directory: string,
  path: string,
  asked: Headers,
  extra: Readonly<Record<string, string>> = {}
) {
  const file = fileAt(directory, path)
  const found = file === null ? null : yield* Effect.promise(() => read(file, asked["accept-encoding"] ?? ""))
  if (file === null || found === null) return Option.none()
  const { bytes, encoding } = found
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
  const headers = {
    ...extra,
    etag,
    vary: "Accept-Encoding",
    "cache-control": hashed.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    ...(encoding === null ? {} : { "content-encoding": encoding })
  }
  if (asked["if-none-match"] === etag) return Option.some(HttpServerResponse.empty({ status: 304, headers }))
  const contentType = types[extname(file)] ?? "application/octet-stream"
  return Option.some(HttpServerResponse.uint8Array(bytes, { headers, contentType }))
})
