import { Effect, Schema } from "effect"
import { createServer } from "node:net"
import { startWords } from "../app/NameConfig.ts"

export class PortTaken extends Schema.TaggedError<PortTaken>()("PortTaken", {
  host: Schema.String,
  port: Schema.Int,
  code: Schema.String
}) {
  override get message() {
    const where = `${this.host}:${this.port}`
    return this.code === "EADDRINUSE"
      ? `Port ${this.port} is taken by another program.\nEnd that one, or choose another port: TROUPE_PORT=${this.port + 1} ${startWords}`
      : `Nothing can listen at ${where} (${this.code}).\nSet TROUPE_HOST and TROUPE_PORT to an address of this host.`
  }
}

/** A port that nothing listens at: the one that is asked for, or for 0 any. */
export const freePort = (host: string, port: number): Effect.Effect<number, PortTaken> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", (cause: NodeJS.ErrnoException) =>
      resume(Effect.fail(new PortTaken({ host, port, code: cause.code ?? cause.message })))
    )
    server.listen(port, host, () => {
      const address = server.address()
      const found = typeof address === "object" && address !== null ? address.port : port
      server.close(() => resume(Effect.succeed(found)))
    })
  })

/** How those on this host reach what listens at `host`. */
export const urlOf = (host: string, port: number): string => {
  const reached = host === "0.0.0.0" || host === "" ? "127.0.0.1" : host === "::" ? "::1" : host
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}`
}
