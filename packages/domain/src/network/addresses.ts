import { isIPv4, isIPv6 } from "./ip.ts"

/** What an IP address is for. Only `public` ones may be reached without being named by the installation. */
export type AddressKind =
  | "public"
  | "private"
  | "loopback"
  | "shared"
  | "metadata"
  | "link-local"
  | "benchmark"
  | "documentation"
  | "multicast"
  | "reserved"
  | "unspecified"

type Bytes = ReadonlyArray<number>

const v4 = (text: string): Bytes => text.split(".").map(Number)

const v6 = (text: string): Bytes => {
  // A dotted tail is two groups like any other.
  const hex = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts) => {
    const [a, b, c, d] = parts.slice(0, 4).map(Number) as [number, number, number, number]
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = "", tail] = hex.split("::")
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)))
  const [left, right] = [groups(head), groups(tail ?? "")]
  const words = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
  return words.flatMap((word) => [word >> 8, word & 0xff])
}

/** Of an address that is one: four or sixteen bytes. */
export const addressBytes = (address: string): ReadonlyArray<number> => (isIPv4(address) ? v4(address) : v6(address))

interface Range {
  readonly bytes: Bytes
  readonly bits: number
}

const range = (cidr: string): Range => {
  const [address = "", bits] = cidr.split("/")
  const bytes = addressBytes(address)
  return { bytes, bits: bits === undefined ? bytes.length * 8 : Number(bits) }
}

const contains = ({ bits, bytes }: Range, address: Bytes): boolean =>
  bytes.every((byte, i) => {
    const left = Math.min(8, Math.max(0, bits - i * 8))
    return (byte ^ address[i]!) >> (8 - left) === 0
  })

const table = (entries: ReadonlyArray<readonly [kind: AddressKind, ...cidrs: ReadonlyArray<string>]>) =>
  entries.flatMap(([kind, ...cidrs]) => cidrs.map((cidr) => ({ kind, range: range(cidr) })))

// The first match counts. The registries are IANA's for special purposes; metadata services are where clouds put them,
// Azure's (168.63.129.16) in the middle of public space.
const special4 = table([
  ["metadata", "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
  ["unspecified", "0.0.0.0/8"],
  ["loopback", "127.0.0.0/8"],
  ["private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  ["shared", "100.64.0.0/10"],
  ["link-local", "169.254.0.0/16"],
  ["documentation", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"],
  ["benchmark", "198.18.0.0/15"],
  ["multicast", "224.0.0.0/4"],
  ["reserved", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4"]
])

// 2001::/23 has Teredo, benchmarks and overlay identifiers: nothing that a program would be served from.
const special6 = table([
  ["metadata", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"],
  ["unspecified", "::"],
  ["loopback", "::1"],
  ["private", "fc00::/7", "fec0::/10", "64:ff9b:1::/48"],
  ["link-local", "fe80::/10"],
  ["multicast", "ff00::/8"],
  ["documentation", "2001:db8::/32", "3fff::/20"],
  ["benchmark", "2001:2::/48"],
  ["reserved", "2001::/23"]
])

/** Addresses that carry an IPv4 address, which decides: mapped, NAT64, 6to4. */
const carriers = [
  { range: range("::ffff:0:0/96"), at: 12 },
  { range: range("64:ff9b::/96"), at: 12 },
  { range: range("2002::/16"), at: 2 }
]
/** Long out of use, and still understood by some stacks as the IPv4 address at its end. */
const compatible = range("::/96")
const globalUnicast = range("2000::/3")

const kind4 = (bytes: Bytes): AddressKind => special4.find(({ range }) => contains(range, bytes))?.kind ?? "public"

const kind6 = (bytes: Bytes): AddressKind => {
  const found = special6.find(({ range }) => contains(range, bytes))
  if (found !== undefined) return found.kind
  const carrier = carriers.find(({ range }) => contains(range, bytes))
  if (carrier !== undefined) return kind4(bytes.slice(carrier.at, carrier.at + 4))
  if (contains(compatible, bytes)) {
    const embedded = kind4(bytes.slice(12))
    return embedded === "public" ? "reserved" : embedded
  }
  return contains(globalUnicast, bytes) ? "public" : "reserved"
}

/** The kind of an address as the system or `normalHost` writes it. What is no address, or has a zone, is `reserved`. */
export const addressKind = (address: string): AddressKind =>
  isIPv4(address) ? kind4(v4(address)) : isIPv6(address) && !address.includes("%") ? kind6(v6(address)) : "reserved"

export const isPublic = (address: string): boolean => addressKind(address) === "public"

/** The IPv4 address inside a mapped IPv6 address, which the system treats as the same; any other as it is. */
export const unmapped = (address: string): string => {
  if (!isIPv6(address) || address.includes("%")) return address
  const bytes = v6(address)
  return contains(carriers[0]!.range, bytes) ? bytes.slice(12).join(".") : address
}
