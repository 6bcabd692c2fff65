import { existsSync, readFileSync, writeFileSync } from "node:fs"

/** The types of each name, such as `null | string`; names that are not always there end in a question mark. */
type Shape = Readonly<Record<string, string>>

const typeOf = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value)

const plain = (name: string) => name.replace(/\?$/, "")

const ofOne = (sample: object): Shape =>
  Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, typeOf(value)]))

const both = (one: Shape, other: Shape): Shape => {
  const named = (shape: Shape) => new Map(Object.entries(shape).map(([name, types]) => [plain(name), { name, types }]))
  const [a, b] = [named(one), named(other)]
  const all = [...new Set([...a.keys(), ...b.keys()])].sort()
  return Object.fromEntries(
    all.map((name) => {
      const found = [a.get(name), b.get(name)]
      const isAlways = found.every((place) => place?.name === name)
      const types = new Set(found.flatMap((place) => place?.types.split(" | ") ?? []))
      return [isAlways ? name : `${name}?`, [...types].sort().join(" | ")]
    })
  )
}

/** What `--json` prints, by commands: names and types. A file of its own says what people may count on. */
export class Contract {
  private readonly file: string
  private readonly seen = new Map<string, Shape>()

  constructor(file: string) {
    this.file = file
  }

  see(command: string, samples: ReadonlyArray<object>): void {
    for (const sample of samples) {
      const before = this.seen.get(command)
      const shape = ofOne(sample)
      this.seen.set(command, both(before ?? shape, shape))
    }
  }

  get commands(): ReadonlyArray<string> {
    return [...this.seen.keys()].sort()
  }

  /** What was seen and is not as the file says, or the other way round. */
  differences(): ReadonlyArray<string> {
    const said = this.read()
    const all = [...new Set([...Object.keys(said), ...this.seen.keys()])].sort()
    return all.flatMap((command) => {
      const [is, was] = [this.seen.get(command), said[command]]
      if (is === undefined) return [`${command}: printed nothing`]
      if (was === undefined) return [`${command}: is new`]
      const allowed = both(was, is)
      return (
        Object.keys({ ...allowed, ...was })
          // Of what was null whenever it was looked at, the type is not known.
          .filter((name) => allowed[name] !== was[name] && (was[name] !== "null" || allowed[name] === undefined))
          .map((name) => `${command}: ${name} is ${was[name]} and would be ${allowed[name]}`)
      )
    })
  }

  /** Takes up what was seen besides what was said before. */
  write(): void {
    const said = this.read()
    const shapes = this.commands.map((command) => {
      const is = this.seen.get(command)!
      return [command, both(said[command] ?? is, is)]
    })
    writeFileSync(this.file, `${JSON.stringify(Object.fromEntries(shapes), null, 2)}\n`)
  }

  private read(): Readonly<Record<string, Shape>> {
    return existsSync(this.file) ? JSON.parse(readFileSync(this.file, "utf8")) : {}
  }
}
