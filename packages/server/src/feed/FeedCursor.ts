import type { Cursor } from "../log/EventStore.ts"

/** A place in the order of all logs, as text that clients hand back. */
export const cursorText = ({ position, xid }: Cursor): string => `${xid}-${position}`

export const readCursor = (text: string): Cursor | null => {
  const found = /^(\d{1,19})-(\d{1,18})$/.exec(text)
  return found === null ? null : { xid: found[1]!, position: found[2]! }
}

const order = (one: string, other: string): number => {
  const [a, b] = [BigInt(one), BigInt(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

export const compare = (one: Cursor, other: Cursor): number =>
  order(one.xid, other.xid) || order(one.position, other.position)
