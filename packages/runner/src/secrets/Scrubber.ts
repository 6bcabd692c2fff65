import type { Json } from "@troupe/domain/Json"

/** Shorter ones are words of every text, and keep nothing secret. */
const secretCharsMin = 6

export const mask = "[secret]"

const noFields: ReadonlySet<string> = new Set()

/** The forms in which a secret may turn up in a text. */
const forms = (secret: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(secret)
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [secret, inJson, encodeURIComponent(secret.toWellFormed()), bytes.toString("hex"), ...inBase64(bytes)]
}

/** Inside of a longer text in base64 it looks different at each of three places; its ends mix with what is around it. */
const inBase64 = (bytes: Buffer): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replaceAll("=", "")
    const rest = (shift + bytes.length) % 3
    const core = text.slice(shift === 0 ? 0 : shift + 1, rest === 0 ? text.length : text.length - 1)
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")]
  })

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")

/** Knows the secrets of one attempt and takes them out of whatever it says. */
export class Scrubber {
  private readonly known = new Set<string>()
  private pattern: RegExp | null = null
  /** The characters that a secret may begin with, and the longest one: what may still become one is held back. */
  private longest = 0

  add(secret: string): void {
    if (secret.length < secretCharsMin) return
    for (const form of forms(secret)) if (form.length >= secretCharsMin) this.known.add(form)
    // The longest first: one secret may contain another.
    const sorted = [...this.known].sort((a, b) => b.length - a.length)
    this.longest = sorted[0]!.length
    this.pattern = new RegExp(sorted.map(escaped).join("|"), "g")
  }

  text(text: string): string {
    return this.pattern === null ? text : text.replace(this.pattern, mask)
  }

  /** Every text in a value, keys included, but for fields of the names given. The value itself where there is nothing to take out. */
  value<Value extends Json | object>(value: Value, except: ReadonlySet<string> = noFields): Value {
    return this.pattern === null ? value : (this.scrub(value, except) as Value)
  }

  /** How many characters at the end of a text may be the beginning of a secret. */
  pending(text: string): number {
    for (let count = Math.min(this.longest - 1, text.length); count > 0; count--) {
      const end = text.slice(text.length - count)
      for (const form of this.known) if (form.length > count && form.startsWith(end)) return count
    }
    return 0
  }

  private scrub(value: unknown, except: ReadonlySet<string>): unknown {
    if (typeof value === "string") return this.text(value)
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) {
      const items = value.map((item) => this.scrub(item, except))
      return items.every((item, index) => item === value[index]) ? value : items
    }
    const entries = Object.entries(value)
    const scrubbed = entries.map(
      ([key, field]) =>
        [except.size > 0 ? key : this.text(key), except.has(key) ? field : this.scrub(field, except)] as const
    )
    const same = scrubbed.every(([key, field], index) => key === entries[index]![0] && field === entries[index]![1])
    return same ? value : Object.fromEntries(scrubbed)
  }
}

/** Scrubs a text that arrives in pieces, wherever it is cut. */
export class TextScrubber {
  private readonly scrubber: Scrubber
  private held = ""

  constructor(scrubber: Scrubber) {
    this.scrubber = scrubber
  }

  /** What may be shown by now. */
  push(piece: string): string {
    const text = this.scrubber.text(this.held + piece)
    const pending = this.scrubber.pending(text)
    this.held = pending === 0 ? "" : text.slice(-pending)
    return text.slice(0, text.length - pending)
  }

  /** What was held back, once nothing more comes. */
  end(): string {
    const { held } = this
    this.held = ""
    return held
  }
}
