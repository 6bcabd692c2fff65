export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The value below which the fraction `at` of `sorted` lies. */
export const quantile = (sorted: ArrayLike<number>, at: number): number =>
  sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))]!

export const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Each round's ratio: what disturbed one round disturbed both of its sides. */
export const ratios = (ours: ReadonlyArray<number>, peer: ReadonlyArray<number>): ReadonlyArray<number> =>
  ours.slice(0, peer.length).map((value, round) => value / peer[round]!)

export const rounded = (value: number): number =>
  Number.isFinite(value) ? Number(value.toPrecision(Math.abs(value) >= 1_000 ? 6 : 4)) : value
