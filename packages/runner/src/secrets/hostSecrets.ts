import { Schema } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { othersMayRead, ownFile } from "./ownFile.ts"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)))

/**
 * What the host's owner keeps for preparation profiles, by name, in a file that nobody else may read. It is read whenever
 * somebody asks: a token that is good for an hour is written anew meanwhile.
 */
export const readHostSecrets = (home: string): Readonly<Record<string, string>> => {
  const path = join(home, "secrets.json")
  if (!existsSync(path)) return {}
  const { open, text } = ownFile(path)
  if (open) throw new Error(othersMayRead)
  try {
    return decode(text)
  } catch {
    // The parser's own words could quote a secret.
    throw new Error("it holds no JSON object of texts")
  }
}
