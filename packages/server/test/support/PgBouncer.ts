import { Effect, Redacted, type Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import { temporaryDirectory } from "./EmbeddedHome.ts"

const program = "pgbouncer"

/** A pool in front of the database of `url`; answers the URL that leads through it. */
export const pgBouncer = (
  url: Redacted.Redacted,
  settings: Readonly<Record<string, string | number>>
): Effect.Effect<Redacted.Redacted, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const port = yield* Effect.promise(freePort)
    const { hostname, password, pathname, port: serverPort, username } = new URL(Redacted.value(url))
    const database = pathname.slice(1)
    writeFileSync(join(directory, "users"), `"${username}" "${password}"\n`)
    const lines = Object.entries({
      listen_addr: "127.0.0.1",
      listen_port: port,
      auth_type: "scram-sha-256",
      auth_file: join(directory, "users"),
      unix_socket_dir: "",
      ...settings
    }).map(([name, value]) => `${name} = ${value}\n`)
    const config = join(directory, "pgbouncer.ini")
    writeFileSync(
      config,
      `[databases]\n${database} = host=${hostname} port=${serverPort}\n[pgbouncer]\n${lines.join("")}`
    )
    chmodSync(config, 0o644)
    // Debian keeps it where only root's PATH looks.
    const env = { PATH: `${process.env.PATH}:/usr/sbin` }
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    yield* Effect.acquireRelease(
      Effect.sync(() => spawn(program, [config], { ...user, env, stdio: "ignore" })),
      (child) =>
        Effect.promise(async () => {
          const ended = child.exitCode === null ? once(child, "exit") : undefined
          child.kill("SIGKILL")
          await ended
        })
    )
    yield* Effect.promise(() => listening(port))
    return Redacted.make(`postgres://${username}:${password}@127.0.0.1:${port}/${database}`)
  })

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
}

const listening = async (port: number): Promise<void> => {
  while (true) {
    const socket = connect(port, "127.0.0.1")
    try {
      await once(socket, "connect")
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    } finally {
      socket.destroy()
    }
  }
}
