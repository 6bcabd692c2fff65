import { type Pages, pagesOf } from "../http/Page.ts"
import type { Transport } from "../http/Transport.ts"
import type { CallOptions } from "../options.ts"

interface PageBody<Item> {
  readonly data: ReadonlyArray<Item>
  readonly next_page: string | null
}

/** A list of the API, page by page. */
export const list = <Item>(
  transport: Transport,
  path: string,
  query: object = {},
  options: CallOptions = {}
): Pages<Item> =>
  pagesOf<PageBody<Item>, Item>(
    {
      ask: (asked) => transport.send({ method: "GET", path, query: asked }, options),
      items: ({ data }) => data,
      more: ({ next_page: page }) => (page == null ? null : { page })
    },
    query
  )
