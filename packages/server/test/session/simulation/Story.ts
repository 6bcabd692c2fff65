import { prng } from "../../../../../test/support/Prng.ts"

const kinds = {
  /** A client sends something that makes sense in the session's state, mostly. */
  command: 40,
  /** Several at once, without waiting. */
  burst: 6,
  /** More than a queue holds, told by hand. */
  flood: 0,
  /** One that was sent before comes again, or its id with another body. */
  repeat: 6,
  reuse: 3,
  /** Somebody sends again what was sent before, as if it were new. */
  resend: 3,
  /** A client stops waiting for its answer. */
  cancel: 2,
  /** Time passes: less than a second, or up to a minute and a half. */
  pass: 28,
  long: 5,
  /** The owner is shut down in good order, goes on beside the next owner, is frozen and thawed, or dies on the spot. */
  evict: 5,
  takeover: 3,
  freeze: 3,
  thaw: 2,
  crash: 4,
  /** The runner is out of reach, silent over an open link, has no room, loses frames, or comes to harm. */
  away: 5,
  mute: 3,
  placement: 2,
  noise: 2,
  loss: 4,
  /** Storage fails for a while. */
  faults: 6,
  calm: 4
} as const

export type MoveKind = keyof typeof kinds

/** One move of a story. `roll` seeds whatever the move draws, so that dropping other moves leaves it much the same. */
export interface Move {
  readonly kind: MoveKind
  readonly roll: number
}

export type Story = ReadonlyArray<Move>

const weights = Object.entries(kinds) as ReadonlyArray<readonly [MoveKind, number]>
const total = weights.reduce((sum, [, weight]) => sum + weight, 0)

export const drawStory = (seed: number): Story => {
  const random = prng(seed)
  return Array.from({ length: 5 + random.int(45) }, () => {
    let at = random.int(total)
    const [kind] = weights.find(([, weight]) => (at -= weight) < 0)!
    return { kind, roll: random.int(2 ** 31) }
  })
}
