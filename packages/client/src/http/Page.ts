import { InvalidAnswerError } from "../errors.ts"
import { type Answer, Call } from "./Call.ts"

/** What is behind a page; null behind the last one. */
export type Next<Item> = (() => Promise<Page<Item>>) | null

/** A part of a list. Iterating goes on through all that follow. */
export class Page<Item> implements AsyncIterable<Item> {
  readonly data: ReadonlyArray<Item>
  /** What a query says to go on from here, to be kept and asked for later; null on the last page. */
  readonly more: object | null
  readonly #next: Next<Item>

  constructor(data: ReadonlyArray<Item>, more: object | null, next: Next<Item>) {
    this.data = data
    this.more = more
    this.#next = next
  }

  hasNextPage(): boolean {
    return this.#next !== null
  }

  /** The next page, or null behind the last one. */
  async nextPage(): Promise<Page<Item> | null> {
    return this.#next === null ? null : await this.#next()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    yield* this.data
    for (let page = await this.nextPage(); page !== null; page = await page.nextPage()) yield* page.data
  }
}

/** A list under way: await it for its first page, or iterate over all of its items. */
export class Pages<Item> extends Call<Page<Item>> implements AsyncIterable<Item> {
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    yield* await this
  }
}

interface Lists<Body, Item> {
  readonly ask: (query: object) => Promise<Answer<Body>>
  readonly items: (body: Body) => ReadonlyArray<Item>
  /** The query that leads on from here, or null. */
  readonly more: (body: Body) => object | null
}

/** All pages of a list, asked for one after the other. */
export const pagesOf = <Body, Item>({ ask, items, more }: Lists<Body, Item>, query: object = {}): Pages<Item> => {
  const load = async (asked: object): Promise<Answer<Page<Item>>> => {
    const answer = await ask({ ...query, ...asked })
    const data = items(answer.data)
    if (!Array.isArray(data)) throw new InvalidAnswerError("The server's answer is no page", answer.requestId)
    const rest = more(answer.data)
    if (rest !== null && JSON.stringify(rest) === JSON.stringify(asked)) {
      throw new InvalidAnswerError("The server's next page is the same again", answer.requestId)
    }
    const next = rest === null ? null : async () => (await load(rest)).data
    return { ...answer, data: new Page(data, rest, next) }
  }
  return new Pages(load({}))
}
