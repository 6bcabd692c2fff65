import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Until what is looked for is there, or too much time has passed. */
export const eventually = async <A>(
  what: string,
  look: () => A | undefined | Promise<A | undefined>,
  withinMs = 90_000
): Promise<A> => {
  const end = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await sleep(25)
  }
}

export const only = <Tag extends SessionEvent["_tag"]>(events: ReadonlyArray<SessionEvent>, tag: Tag) =>
  events.filter((event): event is EventOf<Tag> => event._tag === tag)
