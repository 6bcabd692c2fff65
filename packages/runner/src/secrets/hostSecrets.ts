import { Schema } from "effect"
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.String)))

const textOf = (path: string): string => {
  const file = openSync(path, "r")
  try {
    if ((fstatSync(file).mode & 0o077) !== 0)
      throw new Error("others may read it: chmod 600 it, and renew what it holds")
    return readFileSync(file, "utf8")
  } finally {
    closeSync(file)
  }
}

/**
 * What the host's owner keeps for preparation profiles, by name, in a file that nobody else may read. It is read whenever
 * somebody asks: a token that is good for an hour is written anew meanwhile.
 */
export const readHostSecrets = (home: string): Readonly<Record<string, string>> => {
  const path = join(home, "secrets.json")
  if (!existsSync(path)) return {}
  const text = textOf(path)
  try {
    return decode(text)
  } catch {
    // The parser's own words could quote a secret.
    throw new Error("it holds no JSON object of texts")
  }
}
