/** What a prepared directory adds to the environment of processes: lists of paths, by the variable that takes them. */
export type Offers = Readonly<Record<string, ReadonlyArray<string>>>

/** What every program expects to find. */
export const basePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** Lists of several directories in one environment, the first ones first. */
export const joinOffers = (offers: ReadonlyArray<Offers>): Readonly<Record<string, string>> => {
  const lists = new Map<string, Array<string>>()
  for (const one of offers) {
    for (const [name, paths] of Object.entries(one)) lists.set(name, [...(lists.get(name) ?? []), ...paths])
  }
  lists.set("PATH", [...(lists.get("PATH") ?? []), basePath])
  return Object.fromEntries([...lists].map(([name, paths]) => [name, paths.join(":")]))
}
