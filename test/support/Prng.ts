import { fromTime, prefixes, type IdKind } from "@troupe/domain/Ids"

/** Chance from a seed: the same seed tells the same story. */
export interface Prng {
  /** In [0, 1). */
  readonly next: () => number
  /** In [0, below). */
  readonly int: (below: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  /** One of the names, as often as its weight says. */
  readonly weighted: <Name extends string>(weights: Readonly<Record<Name, number>>) => Name
  readonly bytes: (into: Uint8Array) => void
  /** A stream of its own, so that one part's draws don't shift another's. */
  readonly fork: (salt: number) => Prng
}

export const prng = (seed: number): Prng => {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 4; i++) next()
  const int = (below: number) => Math.floor(next() * below)
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (from) => {
      if (from.length === 0) throw new Error("there is nothing to pick from")
      return from[int(from.length)]!
    },
    weighted: (weights) => {
      const names = Object.keys(weights) as Array<keyof typeof weights>
      let left = next() * names.reduce((sum, name) => sum + weights[name], 0)
      return names.find((name) => (left -= weights[name]) < 0) ?? names[0]!
    },
    bytes: (into) => {
      for (let i = 0; i < into.length; i++) into[i] = int(256)
    },
    fork: (salt) => prng(Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(salt + 1, 0xc2b2ae35))
  }
}

/** A valid id of that kind, from chance. */
export const mintId = (random: Prng, kind: IdKind, timeMs = 1_700_000_000_000): string => {
  const bytes = new Uint8Array(10)
  random.bytes(bytes)
  return fromTime(prefixes[kind], timeMs, bytes)
}
