import type { Server } from "node:http"
import type { Socket } from "node:net"
import { attending } from "./attend.ts"
import { makeClients } from "./Clients.ts"
import { connectErrand } from "./handleConnect.ts"
import { requestErrand, upgradeErrand } from "./handleRequest.ts"
import type { SandboxEgress } from "./SandboxEgress.ts"

/** Makes a server the proxy of one sandbox. */
export const serveSandbox = (server: Server, egress: SandboxEgress): void => {
  const attend = attending(egress)
  const clients = makeClients(egress)
  server.on("connect", (request, socket, head: Buffer) =>
    attend(connectErrand(egress, server, clients, request, socket as Socket, head))
  )
  server.on("upgrade", (request, socket, head: Buffer) =>
    attend(upgradeErrand(egress, clients, request, socket as Socket, head))
  )
  server.on("request", (request, response) => attend(requestErrand(egress, clients, request, response)))
}
