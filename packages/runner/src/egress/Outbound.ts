import { Clock, Context, Effect, Layer, Result, Schema, type Scope } from "effect"
import { connect, isIP, type Socket } from "node:net"
import { networkInterfaces } from "node:os"
import {
  type AddressRules,
  checkAddress,
  checkName,
  type Endpoint,
  ownNames,
  withOwnAddresses
} from "@troupe/domain/network/AddressRules"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { OwnServices } from "./OwnServices.ts"
import { Resolver } from "./Resolver.ts"

/** A connection could not be made, through no rule of ours. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  host: Schema.String,
  port: Schema.Int,
  /** `timeout` is a gateway's 504, the others are its 502. */
  reason: Schema.Literals(["name", "connect", "tls", "timeout", "protocol"]),
  detail: Schema.String
}) {
  override get message() {
    return `${this.host}:${this.port} can't be reached (${this.reason}): ${this.detail}`
  }
}

export interface Dialled {
  readonly socket: Socket
  readonly address: string
}

/** For one address; the next one is tried after it. */
const connectMs = 10_000
const dialMs = 30_000

/**
 * The one way out for connections that are made for an agent: by the proxy for a sandbox, by our own tools. Every address
 * is checked after the name was looked up, and the connection goes to the address that was checked.
 */
export class Outbound extends Context.Service<
  Outbound,
  {
    /** As they are now: what is ours may become known later. */
    readonly rules: () => AddressRules
    /** `asked.host` is a normal one. The socket belongs to the scope. */
    readonly dial: (asked: Endpoint) => Effect.Effect<Dialled, EgressRefused | Unreachable, Scope.Scope>
  }
>()("runner/egress/Outbound") {
  static readonly layer = (alsoAllowed: ReadonlyArray<Endpoint>, timeouts?: DialTimeouts) =>
    Layer.effect(Outbound, make(alsoAllowed, timeouts))
}

export interface DialTimeouts {
  readonly connectMs: number
  readonly dialMs: number
}

const addressesOfHost = () =>
  new Set(Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)))

const connectTo = (address: string, asked: Endpoint, timeoutMs: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket, Unreachable>((resume) => {
      // Half-open: a request whose sender has said all it wants still gets its answer.
      const socket = connect({ host: address, port: asked.port, allowHalfOpen: true, noDelay: true })
      const fail = (reason: "connect" | "timeout", detail: string) => {
        socket.destroy()
        resume(Effect.fail(new Unreachable({ ...asked, reason, detail })))
      }
      const timer = setTimeout(() => fail("timeout", `no answer from ${address} in ${timeoutMs} ms`), timeoutMs)
      // Stays for the life of the socket: an error without a listener would end the process.
      socket.on("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer)
        fail("connect", String(error.code ?? "the connection failed"))
      })
      socket.once("connect", () => {
        clearTimeout(timer)
        resume(Effect.succeed(socket))
      })
      return Effect.sync(() => {
        clearTimeout(timer)
        socket.destroy()
      })
    }),
    (socket) => Effect.sync(() => socket.destroy()),
    { interruptible: true }
  )

/** How long an answer for one of our own names is used, and for how long its addresses count as ours after it. */
const ownFreshMs = 30_000
const ownKeptMs = 600_000

/**
 * Where our own names lead. Whose name can't be looked up keeps the addresses it had; one that changes its addresses keeps
 * those of before for a while, since others may still be told them.
 */
const ownAddresses = ({ resolve }: Resolver["Service"]) => {
  const known = new Map<string, { askedAtMs: number; addresses: ReadonlyMap<string, number> }>()
  return Effect.fnUntraced(function* (name: string) {
    const now = yield* Clock.currentTimeMillis
    const before = known.get(name)
    if (before !== undefined && now - before.askedAtMs < ownFreshMs) return [...before.addresses.keys()]
    const found = yield* Effect.orElseSucceed(resolve(name), () => [])
    const kept = [...(before?.addresses ?? [])].filter(
      ([, seenAtMs]) => found.length === 0 || now - seenAtMs < ownKeptMs
    )
    const addresses = new Map([...kept, ...found.map((address) => [address, now] as const)])
    known.set(name, { askedAtMs: now, addresses })
    return [...addresses.keys()]
  })
}

const make = Effect.fnUntraced(function* (
  alsoAllowed: ReadonlyArray<Endpoint>,
  timeouts: DialTimeouts = { connectMs, dialMs }
) {
  const resolver = yield* Resolver
  const own = yield* OwnServices
  const addressesOfOwn = ownAddresses(resolver)
  const current = (): AddressRules => ({ alsoAllowed, ours: own.all() })

  const rulesFor = Effect.fnUntraced(function* (port: number) {
    const rules = current()
    const found = yield* Effect.forEach(ownNames(rules, port), addressesOfOwn, { concurrency: "unbounded" })
    return withOwnAddresses(rules, port, found.flat())
  })

  const addresses = (asked: Endpoint) =>
    isIP(asked.host) !== 0
      ? Effect.succeed([asked.host])
      : Effect.mapError(
          resolver.resolve(asked.host),
          ({ code }) => new Unreachable({ ...asked, reason: "name", detail: code })
        )

  const dial = Effect.fnUntraced(function* (asked: Endpoint) {
    const rules = yield* rulesFor(asked.port)
    yield* Effect.fromResult(checkName(rules, asked))
    const found = yield* addresses(asked)
    const host = addressesOfHost()
    let failure: EgressRefused | Unreachable = new Unreachable({ ...asked, reason: "name", detail: "no address" })
    for (const address of found) {
      const checked = checkAddress(rules, asked, address, host)
      if (Result.isFailure(checked)) {
        failure = checked.failure
        continue
      }
      const connected = yield* Effect.result(connectTo(address, asked, timeouts.connectMs))
      if (Result.isSuccess(connected)) return { socket: connected.success, address }
      failure = connected.failure
    }
    return yield* failure
  })

  return Outbound.of({
    rules: current,
    dial: (asked) =>
      dial(asked).pipe(
        Effect.timeoutOrElse({
          duration: timeouts.dialMs,
          orElse: () =>
            new Unreachable({ ...asked, reason: "timeout", detail: `no connection in ${timeouts.dialMs} ms` })
        }),
        Effect.withSpan("Outbound.dial")
      )
  })
})
