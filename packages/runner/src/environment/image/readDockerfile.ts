import { Result } from "effect"

/** What a Dockerfile begins with: images of the engine, by the names that it gives them. */
export interface Dockerfile {
  readonly bases: ReadonlyArray<string>
}

const refuse = (line: number, detail: string) => Result.fail(`line ${line}: ${detail}`)

/** A stage's name or number, or an image. What is put in by a variable can't be looked at before. */
const nameOf = (word: string | undefined): string | undefined =>
  word !== undefined && /^[\w][\w.\-/:@]{0,255}$/.test(word) ? word : undefined

/**
 * Reads which images a Dockerfile begins with, and refuses what the engine would do by itself and not in a build's sandbox:
 * fetch from an address (ADD) and leave orders for other builds (ONBUILD). The engine joins lines and we do not: each line is
 * held to the rules as if it began an instruction, and one whose first word could go on in the next line is refused.
 */
export const readDockerfile = (text: string): Result.Result<Dockerfile, string> => {
  const stages = new Set<string>()
  const bases = new Set<string>()
  let stage = 0
  for (const [index, line] of text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).entries()) {
    const number = index + 1
    if (/^\s*#\s*escape\s*=/i.test(line)) return refuse(number, "another escape character is not supported")
    if (/^\s*[^\s#]+\\\s*$/.test(line)) return refuse(number, "the first word of a line has to end in that line")
    const [first = "", ...words] = line.trim().split(/\s+/)
    const isCut = /\\\s*$/.test(line)
    switch (first.replace(/^\uFEFF/, "").toUpperCase()) {
      case "ADD":
        return refuse(
          number,
          "ADD is not supported: there are no files to add, and RUN can fetch what the network allows"
        )
      case "ONBUILD":
        return refuse(number, "ONBUILD is not supported")
      case "FROM": {
        const [image, as, name] = words.filter((word) => !word.startsWith("--"))
        const base = nameOf(image)
        if (isCut || base === undefined) return refuse(number, "FROM has to name its image, in one line")
        if (base !== "scratch" && !stages.has(base.toLowerCase())) bases.add(base)
        stages.add(String(stage++))
        if (as?.toUpperCase() === "AS" && name !== undefined) stages.add(name.toLowerCase())
        break
      }
      case "COPY": {
        const from = words.find((word) => /^--from\b/i.test(word))
        const source = nameOf(from?.slice("--from=".length))
        if (isCut || source === undefined) {
          return refuse(number, "COPY has to say --from=, a stage or an image, in one line: there are no other files")
        }
        if (!stages.has(source.toLowerCase())) bases.add(source)
        break
      }
    }
  }
  return stage === 0 ? Result.fail("it has no FROM") : Result.succeed({ bases: [...bases] })
}
