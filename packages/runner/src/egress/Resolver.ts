import { Context, Effect, Layer, Schema } from "effect"
import { Resolver as DnsResolver } from "node:dns/promises"
import { readFile, stat } from "node:fs/promises"
import { isIP } from "node:net"

export class NameUnresolved extends Schema.TaggedError<NameUnresolved>()("NameUnresolved", {
  name: Schema.String,
  code: Schema.String
}) {
  override get message() {
    return `${this.name} has no address (${this.code})`
  }
}

export interface ResolverOptions {
  readonly hostsFile?: string
  /** Name servers as `address:port`; those of the system where absent. */
  readonly servers?: ReadonlyArray<string>
}

const timeoutMs = 3_000
const tries = 2
/** Beyond this, an answer is there to keep us busy. */
const addressesMax = 16

/**
 * From names to addresses, with nothing checked. Asks name servers itself: the system's own way waits in the few threads
 * that all lookups of the process share, and a sandbox could fill them with names that never answer.
 */
export class Resolver extends Context.Service<
  Resolver,
  { readonly resolve: (name: string) => Effect.Effect<ReadonlyArray<string>, NameUnresolved> }
>()("runner/egress/Resolver") {
  static readonly layer = (options: ResolverOptions = {}) => Layer.effect(Resolver, make(options))
}

/** Names and their addresses in the text of a hosts file. */
export const parseHosts = (text: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  const hosts = new Map<string, Array<string>>()
  for (const line of text.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    if (address === undefined || isIP(address) === 0) continue
    for (const name of names) {
      const known = hosts.get(name.toLowerCase()) ?? []
      hosts.set(name.toLowerCase(), [...known, address])
    }
  }
  return hosts
}

/** The hosts file, read again when it has changed. */
const hostsOf = (file: string) => {
  let known: { readonly stamp: string; readonly hosts: ReadonlyMap<string, ReadonlyArray<string>> } | undefined
  return Effect.tryPromise(async () => {
    const { mtimeMs, size } = await stat(file)
    const stamp = `${mtimeMs} ${size}`
    if (known?.stamp !== stamp) known = { stamp, hosts: parseHosts(await readFile(file, "utf8")) }
    return known.hosts
  }).pipe(Effect.orElseSucceed(() => new Map<string, ReadonlyArray<string>>()))
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code ?? "EUNKNOWN"

const make = Effect.fnUntraced(function* (options: ResolverOptions) {
  const hosts = hostsOf(options.hostsFile ?? "/etc/hosts")
  const dns = new DnsResolver({ timeout: timeoutMs, tries })
  if (options.servers !== undefined) dns.setServers(options.servers)

  const ask = Effect.fnUntraced(function* (name: string) {
    const [four, six] = yield* Effect.promise(() => Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]))
    // IPv4 first: more hosts of runners have it than have IPv6.
    const found = [four, six].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))
    if (found.length > 0) return found.slice(0, addressesMax)
    const code = four.status === "rejected" ? codeOf(four.reason) : "ENODATA"
    return yield* new NameUnresolved({ name, code })
  })

  return Resolver.of({
    resolve: Effect.fn("Resolver.resolve")(function* (name) {
      const listed = (yield* hosts).get(name)
      if (listed !== undefined) return listed
      if (name === "localhost" || name.endsWith(".localhost")) return ["127.0.0.1", "::1"]
      return yield* ask(name)
    })
  })
})
