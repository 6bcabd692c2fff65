import { follow, post, type Following } from "./http.ts"
import { noted, type World } from "./world.ts"

/** One event as it is on the stream, for the bare server to write the same bytes. */
export const frameOf = async ({ open, origin }: World): Promise<string> => {
  const session = await open()
  let heard = ""
  let come = () => undefined as void
  const first = new Promise<void>((resolve) => (come = resolve))
  const reader = await follow(origin, `/v1/sessions/${session}/log/stream?types[]=SessionUpdated`, (frame) => {
    heard = `${frame.toString()}\n\n`
    come()
  })
  await post(origin, `/v1/sessions/${session}`, noted("shown"))
  await first
  reader.close()
  return heard
}

/** Readers of one server that count what they get, and say when they have all of it. */
export class Crowd {
  #missing = 0
  #whole: () => void = () => undefined
  readonly #readers: Array<Following> = []

  /** `counts`: whether a frame is one of those that are waited for. */
  async join(
    origin: string,
    path: (n: number) => string,
    count: number,
    counts: (frame: Buffer) => boolean = () => true
  ): Promise<void> {
    for (let n = 0; n < count; n += 100) {
      const some = Array.from({ length: Math.min(100, count - n) }, (_, at) =>
        follow(origin, path(n + at), (frame) => {
          if (counts(frame) && --this.#missing === 0) this.#whole()
        })
      )
      this.#readers.push(...(await Promise.all(some)))
    }
  }

  /** Resolves once so many more frames have come to all of them together. */
  async gets(frames: number, send: () => Promise<unknown>): Promise<void> {
    this.#missing += frames
    const whole = new Promise<void>((resolve) => (this.#whole = resolve))
    await Promise.all([send(), whole])
  }

  leave(): void {
    for (const { close } of this.#readers) close()
  }
}
