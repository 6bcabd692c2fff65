/** One side of a comparison: measures itself for a while and says what it reached. */
export interface Side {
  readonly name: string
  readonly measure: (ms: number) => Promise<number>
}

export interface Plan {
  readonly rounds: number
  readonly roundMs: number
  readonly warmUpMs: number
}

/**
 * Warms every side up, then measures them in turns, A-B-A-B: what the machine does meanwhile meets all of them. A side
 * that fails stops the run; a number is either measured or absent.
 */
export const interleave = async (
  sides: ReadonlyArray<Side>,
  plan: Plan,
  say: (line: string) => void
): Promise<ReadonlyMap<string, ReadonlyArray<number>>> => {
  const values = new Map<string, Array<number>>(sides.map(({ name }) => [name, []]))
  for (const side of sides) await side.measure(plan.warmUpMs)
  for (let round = 1; round <= plan.rounds; round++) {
    const line: Array<string> = []
    for (const { measure, name } of sides) {
      const value = await measure(plan.roundMs)
      values.get(name)!.push(value)
      line.push(`${name} ${value.toPrecision(4)}`)
    }
    say(`  round ${round}: ${line.join(" · ")}`)
  }
  return values
}
