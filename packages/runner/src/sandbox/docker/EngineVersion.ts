/** The versions of the Engine API that we know: from Docker 20.10 on. */
export const versions = { oldest: "1.41", newest: "1.51" } as const

const parse = (version: string): readonly [number, number] => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return [major, minor]
}

const isBefore = (left: string, right: string): boolean => {
  const [a, b] = [parse(left), parse(right)]
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
}

/** The newest version that both sides know, or undefined where there is none. */
export const negotiate = (engine: { readonly oldest: string; readonly newest: string }): string | undefined => {
  const newest = isBefore(engine.newest, versions.newest) ? engine.newest : versions.newest
  return isBefore(newest, versions.oldest) || isBefore(newest, engine.oldest) ? undefined : newest
}
