/** What a request was answered with. */
export interface Answer<A> {
  readonly data: A
  readonly response: Response
  /** What to name when something was wrong with it. */
  readonly requestId: string | null
}

/** A call under way: await it for its data, or `withResponse()` for the response and the request's id as well. */
export class Call<A> implements Promise<A> {
  readonly [Symbol.toStringTag] = "Call"
  readonly #answer: Promise<Answer<A>>

  constructor(answer: Promise<Answer<A>>) {
    this.#answer = answer
  }

  withResponse(): Promise<Answer<A>> {
    return this.#answer
  }

  then<B = A, C = never>(
    onData?: ((data: A) => B | PromiseLike<B>) | null,
    onError?: ((error: unknown) => C | PromiseLike<C>) | null
  ): Promise<B | C> {
    return this.#answer.then(({ data }) => data).then(onData, onError)
  }

  catch<C = never>(onError?: ((error: unknown) => C | PromiseLike<C>) | null): Promise<A | C> {
    return this.then(null, onError)
  }

  finally(onEnd?: (() => void) | null): Promise<A> {
    return this.then().finally(onEnd)
  }

  /** The same call, with something else made of its data. */
  map<B>(to: (data: A) => B): Call<B> {
    return new Call(this.#answer.then((answer) => ({ ...answer, data: to(answer.data) })))
  }
}
