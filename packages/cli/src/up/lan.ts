import { Effect, Schema } from "effect"
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os"
import type { UpConfig } from "./UpConfig.ts"
import { ourName } from "../app/NameConfig.ts"

/** This host is in no local network. */
export class NoLan extends Schema.TaggedError<NoLan>()("NoLan", {}) {
  override get message() {
    return `This host has no address in a local network.\nConnect it to one, or name the address to listen at: TROUPE_HOST=ADDRESS ${ourName} up --lan`
  }
}

/** Of addresses that routers do not pass on: only who is in the same network reaches them. */
const isPrivate = (address: string) => /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(address)

/** Networks that this host has with what runs on it. */
const isOwn = /^(?:docker|br-|veth|virbr|vmnet|lxc|cni|flannel|podman)/

type Interfaces = Readonly<
  Record<string, ReadonlyArray<Pick<NetworkInterfaceInfo, "address" | "family" | "internal">> | undefined>
>

/** Where others in the local network find this host; undefined where there is none. */
export const lanAddressIn = (interfaces: Interfaces): string | undefined =>
  Object.entries(interfaces)
    .filter(([name]) => !isOwn.test(name))
    .flatMap(([, addresses = []]) => addresses)
    .find(({ address, family, internal }) => !internal && family === "IPv4" && isPrivate(address))?.address

const isLoopback = (host: string) => host === "localhost" || host === "::1" || host.startsWith("127.")

/** Whether others than this host reach what listens there. */
export const isShared = (url: string): boolean => !isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ""))

/** The same, listening where others in the local network find it: at the address that was named for it, or at this host's. */
export const onLan = (given: UpConfig): Effect.Effect<UpConfig, NoLan> =>
  isLoopback(given.host) ? Effect.map(lanAddress, (host) => ({ ...given, host })) : Effect.succeed(given)

const lanAddress: Effect.Effect<string, NoLan> = Effect.suspend(() => {
  const found = lanAddressIn(networkInterfaces())
  return found === undefined ? Effect.fail(new NoLan()) : Effect.succeed(found)
})
