import { canonical } from "@troupe/domain/CanonicalJson"
import { CheckpointError, TreeLine, TreeManifest } from "@troupe/domain/runner/Checkpoint"
import { Option, Schema } from "effect"
import { hash } from "node:crypto"
import { readAt } from "./readFile.ts"
import type { Steps } from "./Slices.ts"

/** Asks whoever runs the steps for blobs. */
export interface Wanted {
  readonly _tag: "Wanted"
  readonly digests: ReadonlyArray<string>
}

/** Gets blobs, and makes sure that they are what they are called. */
export function* fetched(digests: ReadonlyArray<string>): Steps<ReadonlyArray<Uint8Array>, Wanted> {
  if (digests.length === 0) return []
  const answer = (yield { _tag: "Wanted", digests }) as ReadonlyArray<Uint8Array | null>
  return digests.map((sha256, index) => {
    const bytes = answer[index]
    if (bytes === null || bytes === undefined) throw new CheckpointError({ reason: { _tag: "Missing", sha256 } })
    if (hash("sha256", bytes, "hex") !== sha256) throw corrupt(sha256, "its content has another digest")
    return bytes
  })
}

export const corrupt = (sha256: string, detail: string) =>
  new CheckpointError({ reason: { _tag: "Corrupt", sha256, detail } })

const parseLine = Schema.decodeUnknownOption(Schema.fromJsonString(TreeLine))
const parseManifest = Schema.decodeUnknownOption(Schema.fromJsonString(TreeManifest))

export const formatLine = (line: TreeLine): string => canonical(line)
export const formatManifest = (manifest: TreeManifest): Uint8Array => Buffer.from(canonical(manifest))

const prefix = "sha256:"

export const checkpointOf = (sha256: string): string => prefix + sha256
export const digestOfCheckpoint = (checkpoint: string): string =>
  checkpoint.startsWith(prefix) ? checkpoint.slice(prefix.length) : checkpoint

export function* manifestOf(checkpoint: string): Steps<TreeManifest, Wanted> {
  const sha256 = digestOfCheckpoint(checkpoint)
  const [bytes] = yield* fetched([sha256])
  return Option.getOrElse(parseManifest(Buffer.from(bytes!).toString()), () => {
    throw corrupt(sha256, "it is no manifest that this version reads")
  })
}

/** A line, and for a file of a live tree the version that was read; null where that can't be relied on. */
export interface Seen {
  readonly line: TreeLine
  readonly version: string | null
}

/** Gives a tree's lines one after the other, and null at the end. */
export interface LineSource {
  readonly read: () => Steps<Seen | null, Wanted>
}

/** Reads lines from blobs, one at a time. */
export const linesInBlobs = ({ chunks }: Pick<TreeManifest, "chunks">): LineSource => {
  const remaining = chunks.values()
  let lines: Iterator<string> = [].values()
  let sha256 = ""
  return {
    *read() {
      for (let line = lines.next(); ; line = lines.next()) {
        if (line.done !== true) return { line: parsed(line.value) ?? refuseLine(sha256), version: null }
        const chunk = remaining.next()
        if (chunk.done === true) return null
        sha256 = chunk.value
        const [bytes] = yield* fetched([sha256])
        lines = Buffer.from(bytes!).toString().split("\n").slice(0, -1).values()
      }
    }
  }
}

const parsed = (line: string): TreeLine | undefined => Option.getOrUndefined(parseLine(line))

const refuseLine = (sha256: string): never => {
  throw corrupt(sha256, "a line of it is none")
}

/** No JSON text has a tab in it. */
const separator = "\t"

export const formatSeen = (line: string, version: string | null): string => `${line}${separator}${version ?? ""}\n`

/** Reads lines from a file of our own. Where that breaks off or is damaged, the tree ends: nothing relies on its being whole. */
export const linesInFile = (file: number): LineSource => {
  const text = textLines(file)
  return {
    *read() {
      const [json = "", version = ""] = (text.next().value ?? "").split(separator)
      const line = parsed(json)
      return line === undefined ? null : { line, version: version === "" ? null : version }
    }
  }
}

const blockBytes = 262_144

function* textLines(file: number): Generator<string, undefined> {
  let rest = Buffer.alloc(0)
  for (let at = 0; ; at += blockBytes) {
    const block = readAt(file, at, blockBytes)
    if (block.length === 0) return undefined
    rest = Buffer.concat([rest, block])
    const end = rest.lastIndexOf(0x0a)
    if (end < 0) continue
    yield* rest.toString("utf8", 0, end).split("\n")
    rest = rest.subarray(end + 1)
  }
}

export const noLines: LineSource = {
  *read() {
    return null
  }
}
