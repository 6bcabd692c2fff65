/** Stories mostly wait, so two of a file are told at a time; more would keep each other from being told in time. */
const atOnce = 2
const waiting: Array<() => void> = []
let told = 0

export const inTurn = async <A>(tell: () => Promise<A>): Promise<A> => {
  if (told === atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  else told++
  try {
    return await tell()
  } finally {
    const next = waiting.shift()
    if (next === undefined) told--
    else next()
  }
}
