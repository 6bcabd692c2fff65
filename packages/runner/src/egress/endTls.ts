import { Effect } from "effect"
import type { Socket } from "node:net"
import { type SecureContext, TLSSocket } from "node:tls"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import { Unreachable } from "./Outbound.ts"

/** Ends TLS of a client that believes to talk to `asked`. `head` came with its CONNECT. */
export const endTls = (client: Socket, head: Buffer, asked: Endpoint, context: SecureContext, timeoutMs: number) =>
  Effect.callback<TLSSocket, Unreachable>((resume) => {
    if (head.length > 0) client.unshift(head)
    const secured = new TLSSocket(client, { isServer: true, secureContext: context, ALPNProtocols: ["http/1.1"] })
    const fail = (reason: "tls" | "timeout", detail: string) => {
      secured.destroy()
      resume(Effect.fail(new Unreachable({ ...asked, reason, detail })))
    }
    const timer = setTimeout(() => fail("timeout", `no handshake in ${timeoutMs} ms`), timeoutMs)
    secured.on("error", (error: NodeJS.ErrnoException) => fail("tls", error.code ?? "the handshake failed"))
    secured.once("close", () => {
      clearTimeout(timer)
      fail("tls", "the client went away")
    })
    secured.once("secure", () => {
      clearTimeout(timer)
      resume(Effect.succeed(secured))
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      secured.destroy()
    })
  })
