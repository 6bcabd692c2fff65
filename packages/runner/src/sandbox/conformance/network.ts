import { Effect, type Scope } from "effect"
import { chmodSync, mkdirSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { networkInterfaces } from "node:os"
import { join } from "node:path"
import { egress, type Sandbox } from "../Sandbox.ts"
import { run } from "./Bench.ts"
import { type Check, check, equals, holds } from "./Check.ts"

interface Listening {
  readonly port: number
  readonly connections: () => number
}

/** A server of the host that answers everyone with one line. */
const listening = (
  where: { readonly host: string } | { readonly path: string }
): Effect.Effect<Listening, never, Scope.Scope> => {
  let connections = 0
  const open = Effect.callback<Server>((resume) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      connections++
      socket.on("error", () => {})
      socket.on("end", () => socket.end())
      socket.write("reached\n")
      socket.resume()
    })
    server.listen("host" in where ? { host: where.host, port: 0 } : where, () => resume(Effect.succeed(server)))
  })
  const close = (server: Server) => Effect.sync(() => server.close())
  return Effect.map(Effect.acquireRelease(open, close), (server) => {
    const address = server.address()
    return { port: typeof address === "object" && address !== null ? address.port : 0, connections: () => connections }
  })
}

/** Connects with whatever the sandbox has for that, and says the first line that comes. */
const connecting = `
if command -v perl >/dev/null; then
  exec perl -MIO::Socket::INET -e 'alarm 10; my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 5) or die "refused: $@"; print scalar <$s>' "$1" "$2"
elif command -v bash >/dev/null; then
  exec bash -c 'exec 3<>"/dev/tcp/$0/$1" && read -r line <&3 && echo "$line"' "$1" "$2"
elif command -v nc >/dev/null; then exec nc -w 5 "$1" "$2" </dev/null
else echo "nothing to connect with"; fi`

const connect = (sandbox: Sandbox, host: string, port: number) =>
  Effect.map(run(sandbox, ["sh", "-c", connecting, "sh", host, String(port)], { timeoutMs: 20_000 }), ({ stdout }) =>
    stdout.trim()
  )

const hostAddresses = () =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address, family, internal }) => (family === "IPv4" && !internal ? [address] : []))
  )

/** Nothing of the host answers, whatever address it goes by. */
const reachesNothing = Effect.fnUntraced(function* (sandbox: Sandbox) {
  const [loopback, everywhere] = [yield* listening({ host: "127.0.0.1" }), yield* listening({ host: "0.0.0.0" })]
  const tries: ReadonlyArray<readonly [string, number]> = [
    ["127.0.0.1", loopback.port],
    ["127.0.0.1", everywhere.port],
    ...hostAddresses().map((address) => [address, everywhere.port] as const),
    ["169.254.169.254", 80],
    ["172.17.0.1", everywhere.port]
  ]
  for (const [host, port] of tries) yield* equals(yield* connect(sandbox, host, port), "", `what ${host}:${port} says`)
  yield* equals([loopback.connections(), everywhere.connections()], [0, 0], "connections that arrived")
})

/** A stand-in for the egress proxy: all that a sandbox knows of it is the socket. */
const proxy = Effect.fnUntraced(function* (directory: string) {
  const folder = join(directory, `egress-${Math.floor(performance.now() * 1_000)}`)
  yield* Effect.sync(() => mkdirSync(folder, { recursive: true, mode: 0o711 }))
  const socket = join(folder, "proxy.sock")
  const server = yield* listening({ path: socket })
  yield* Effect.sync(() => chmodSync(socket, 0o600))
  return { socket, server }
})

export const network: ReadonlyArray<Check> = [
  check(
    "isolation",
    "without network, nothing answers: not the host, by none of its addresses, nor a metadata service",
    (bench) =>
      Effect.gen(function* () {
        const { sandbox } = yield* bench.make()
        yield* reachesNothing(sandbox)
        const { stdout } = yield* run(sandbox, ["cat", "/proc/net/dev"])
        const devices = stdout.split("\n").flatMap((line) => /^\s*([\w.-]+):/.exec(line)?.[1] ?? [])
        yield* equals(devices, ["lo"], "the network's devices")
      })
  ),
  check("isolation", "abstract sockets of the host are out of reach", (bench) =>
    Effect.gen(function* () {
      const name = `troupe-conformance-${process.pid}-${Math.floor(performance.now() * 1_000)}`
      const server = yield* listening({ path: `\0${name}` })
      const { sandbox } = yield* bench.make()
      const { stdout } = yield* run(
        sandbox,
        `cat /proc/net/unix; perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack("S a*", AF_UNIX, "\\0${name}")) && print "reached"'; true`
      )
      yield* holds(!stdout.includes(name) && !stdout.includes("reached"), "it is neither seen nor reached")
      yield* equals(server.connections(), 0, "connections that arrived")
    })
  ),
  check("network", "the proxy is the one way out", (bench) =>
    Effect.gen(function* () {
      const { server, socket } = yield* proxy(bench.directory)
      const { sandbox } = yield* bench.make({ network: { _tag: "Proxied", socket } })
      yield* equals(yield* connect(sandbox, egress.host, egress.port), "reached", "what the proxy says")
      yield* equals(server.connections(), 1, "connections that arrived")
      yield* reachesNothing(sandbox)
    })
  ),
  check("network", "every process finds the proxy, several at once", (bench) =>
    Effect.gen(function* () {
      const { socket } = yield* proxy(bench.directory)
      const { sandbox } = yield* bench.make({ network: { _tag: "Proxied", socket } })
      const said = yield* Effect.forEach([1, 2, 3], () => connect(sandbox, egress.host, egress.port), {
        concurrency: "unbounded"
      })
      yield* equals(said, ["reached", "reached", "reached"], "what the proxy says")
    })
  ),
  check("network", "the proxy of another sandbox is out of reach", (bench) =>
    Effect.gen(function* () {
      const other = yield* proxy(bench.directory)
      yield* bench.make({ network: { _tag: "Proxied", socket: other.socket } })
      const { sandbox } = yield* bench.make()
      yield* equals(yield* connect(sandbox, egress.host, egress.port), "", "what the port says")
      const { stdout } = yield* run(sandbox, [
        "sh",
        "-c",
        `ls "$1" ${egress.socket} 2>/dev/null; true`,
        "sh",
        other.socket
      ])
      yield* equals(stdout, "", "sockets in sight")
    })
  )
]
