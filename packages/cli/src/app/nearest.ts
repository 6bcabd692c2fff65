/** How many letters are to be changed, added or taken to have the other word. */
const distance = (one: string, other: string): number => {
  let before = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [row, letter] of [...one].entries()) {
    const next = [row + 1]
    for (let at = 0; at < other.length; at++) {
      next.push(Math.min(next[at]! + 1, before[at + 1]! + 1, before[at]! + (letter === other[at] ? 0 : 1)))
    }
    before = next
  }
  return before[other.length]!
}

/** The names that are most like one that is none, the nearest first. Words may be written as one likes: turn.completed, turn_completed. */
export const nearest = (given: string, names: ReadonlyArray<string>, atMost = 3): ReadonlyArray<string> => {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
  const wanted = plain(given)
  const worth = (name: string) =>
    plain(name).includes(wanted) && wanted.length > 2 ? 0.5 : distance(wanted, plain(name))
  const near = names
    .map((name) => ({ name, far: plain(name) === wanted ? 0 : worth(name) }))
    .filter(({ far }) => far <= Math.max(2, wanted.length / 2))
    .sort((one, other) => one.far - other.far)
  return near.slice(0, near[0]?.far === 0 ? 1 : atMost).map(({ name }) => name)
}
