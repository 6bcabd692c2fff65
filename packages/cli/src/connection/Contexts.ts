import { Effect, Option, Redacted, Schema } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { exitCodes } from "../app/exitCodes.ts"
import { Trouble, usageTrouble } from "../app/Trouble.ts"
import { replace } from "../up/Home.ts"
import { ourName } from "../app/NameConfig.ts"

const Stored = Schema.fromJsonString(
  Schema.Struct({
    /** Null: the home's own server. */
    current: Schema.NullOr(Schema.String),
    servers: Schema.Record(Schema.String, Schema.Struct({ url: Schema.String }))
  })
)
/** The servers that a person works with. The key of each is in a file of its own. */
export type Contexts = typeof Stored.Type

const decode = Schema.decodeUnknownOption(Stored)
const encode = Schema.encodeSync(Stored)

const folderOf = (home: string) => join(home, "contexts")
const fileOf = (home: string) => join(folderOf(home), "contexts.json")
const keyFileOf = (home: string, name: string) => join(folderOf(home), `${name}.key`)

const none: Contexts = { current: null, servers: {} }

const read = (home: string): Contexts => {
  if (!existsSync(fileOf(home))) return none
  const found = decode(readFileSync(fileOf(home), "utf8"))
  if (Option.isSome(found)) return found.value
  throw usageTrouble(
    `${fileOf(home)} can't be read.`,
    `Remove it, and add your servers again: ${ourName} contexts add NAME URL`
  )
}

export const stored = (home: string): Effect.Effect<Contexts, Trouble> =>
  Effect.try({ try: () => read(home), catch: (cause) => cause as Trouble })

const write = (home: string, contexts: Contexts): void => {
  mkdirSync(folderOf(home), { recursive: true, mode: 0o700 })
  replace(fileOf(home), `${encode(contexts)}\n`)
}

export const isName = (name: string): boolean => /^[A-Za-z0-9][\w.-]{0,63}$/.test(name)

export const add = (home: string, name: string, url: string, key: Redacted.Redacted): void => {
  const contexts = read(home)
  write(home, { current: name, servers: { ...contexts.servers, [name]: { url } } })
  replace(keyFileOf(home, name), `${Redacted.value(key)}\n`)
}

export const remove = (home: string, name: string): void => {
  const { current, servers } = read(home)
  const { [name]: _, ...rest } = servers
  write(home, { current: current === name ? null : current, servers: rest })
  rmSync(keyFileOf(home, name), { force: true })
}

export const use = (home: string, name: string | null): void => write(home, { ...read(home), current: name })

export const unknown = (name: string): Trouble =>
  new Trouble({
    what: `There is no context ${name}.`,
    advice: `${ourName} contexts list shows those there are; ${ourName} contexts add NAME URL makes one.`,
    code: exitCodes.usage
  })

/** The server by this name, or the one in use; null for the home's own. */
export const chosen = (
  home: string,
  name: string | null
): { readonly url: string; readonly key: Redacted.Redacted } | Trouble | null => {
  const { current, servers } = read(home)
  const wanted = name ?? current
  if (wanted === null || wanted === "home") return null
  const server = Object.hasOwn(servers, wanted) ? servers[wanted] : undefined
  if (server === undefined) return unknown(wanted)
  const file = keyFileOf(home, wanted)
  if (!existsSync(file))
    return usageTrouble(`The key of ${wanted} is gone from ${file}.`, `Add it again: ${ourName} contexts add`)
  return { url: server.url, key: Redacted.make(readFileSync(file, "utf8").trim()) }
}
