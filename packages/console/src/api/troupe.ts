import { type Pages, Troupe } from "@troupe/client"

/** The server that this page came from. The browser's cookie lets requests in; the header says that our page sends them. */
export const troupe = new Troupe({ credentials: "cookie", headers: { "x-troupe-console": "1" } })

/** All of a list that is short by its nature. */
export const allOf = async <A>(pages: Pages<A>): Promise<ReadonlyArray<A>> => {
  const found: Array<A> = []
  for await (const one of pages) found.push(one)
  return found
}
