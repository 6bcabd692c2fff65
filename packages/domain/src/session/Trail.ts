/**
 * A list that only grows, for views that are folded over long logs: adding to the newest copies nothing, and every earlier
 * one stays as it was.
 */
export interface Trail<A> {
  readonly length: number
  /** Shared by all that grew from one another: only the first `length` belong to this one. */
  readonly shared: Array<A>
}

export const empty = <A>(): Trail<A> => ({ length: 0, shared: [] })

export const append = <A>({ length, shared }: Trail<A>, value: A): Trail<A> => {
  const list = shared.length === length ? shared : shared.slice(0, length)
  list.push(value)
  return { length: length + 1, shared: list }
}

export const toArray = <A>({ length, shared }: Trail<A>): ReadonlyArray<A> => shared.slice(0, length)
