import { AbortError, InvalidAnswerError } from "../errors.ts"
import { Call } from "../http/Call.ts"
import { mayPass, pause, pauseMs } from "../http/retry.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"

/** A connection that stands: what it brings, until it breaks. */
export interface Connection<A> {
  readonly items: AsyncIterable<A>
  /** Nothing can come after what it brought. */
  readonly isOver: () => boolean
  readonly response: Response
}

export interface Source<A> {
  /** Connects where the last connection stopped, and passes once nothing that happens from now on is missed. */
  readonly connect: (signal: AbortSignal, isFirst: boolean) => Promise<Connection<A>>
  readonly transport: Transport
  readonly options: StreamOptions
}

/** An answer may be garbled on its way; so often in a row, it is what the server sends. */
const invalidMax = 3
/** A connection that stood for so long was no failure, even if nothing happened meanwhile. */
const stoodMs = 10_000
const firstPauseMs = 100

/** What happens, as it happens: connections that break are replaced by others that go on where they stopped. */
export class EventStream<A> implements AsyncIterable<A>, AsyncDisposable {
  readonly #source: Source<A>
  readonly #controller: AbortController
  readonly #items: AsyncGenerator<A, void, undefined>

  constructor(source: Source<A>, controller: AbortController, first: Connection<A>) {
    this.#source = source
    this.#controller = controller
    this.#items = this.#all(first)
  }

  /** Ends the stream: what iterates over it finds its end. */
  close(): void {
    this.#controller.abort()
  }

  [Symbol.asyncIterator](): AsyncGenerator<A, void, undefined> {
    return this.#items
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async *#all(first: Connection<A>): AsyncGenerator<A, void, undefined> {
    const { onConnection, signal: given } = this.#source.options
    const { logger } = this.#source.transport
    const { signal } = this.#controller
    let connection: Connection<A> | null = first
    let failures = 0
    let invalid = 0
    try {
      while (!signal.aborted) {
        const since = performance.now()
        let failure: unknown = null
        try {
          if (connection === null) {
            connection = await this.#source.connect(signal, false)
            onConnection?.({ stands: true })
          }
          for await (const item of connection.items) {
            failures = 0
            invalid = 0
            yield item
            if (signal.aborted) break
          }
          if (connection.isOver()) return
        } catch (error) {
          if (signal.aborted) break
          failure = error
          if (error instanceof InvalidAnswerError) invalid++
          if (!mayPass(error) && (invalid === 0 || invalid >= invalidMax)) throw error
          logger.warn("A stream broke and is taken up again", { error: String(error) })
        }
        if (connection !== null) onConnection?.({ stands: false, error: failure })
        connection = null
        if (performance.now() - since > stoodMs) failures = 0
        await pause(pauseMs(failures++, failure, firstPauseMs), signal)
      }
      if (given?.aborted === true) throw new AbortError("The stream was aborted", { cause: given.reason })
    } finally {
      this.close()
    }
  }
}

/** A stream under way: await it, and it stands; or iterate over it at once. */
export class Streaming<A> extends Call<EventStream<A>> implements AsyncIterable<A> {
  async *[Symbol.asyncIterator](): AsyncGenerator<A, void, undefined> {
    yield* await this
  }
}

const open = async <A>(source: Source<A>) => {
  const controller = new AbortController()
  const { onConnection, signal } = source.options
  const abort = () => controller.abort(signal?.reason)
  // The listener goes when the stream does.
  signal?.addEventListener("abort", abort, { signal: controller.signal })
  if (signal?.aborted === true) abort()
  try {
    const connection = await source.connect(controller.signal, true)
    const { response } = connection
    onConnection?.({ stands: true })
    const data = new EventStream(source, controller, connection)
    return { data, response, requestId: response.headers.get("request-id") }
  } catch (error) {
    controller.abort()
    throw error
  }
}

/** Connects for the first time. */
export const stream = <A>(source: Source<A>): Streaming<A> => new Streaming(open(source))
