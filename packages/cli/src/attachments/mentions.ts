/** A file that a message names, as `@path` or `@"path with spaces"`. */
export interface Mention {
  readonly path: string
  /** It can be nothing else than a file, so that it is an error where there is none. */
  readonly isMeant: boolean
}

const written = /(?<=^|\s)@(?:"([^"\n]+)"|(\S+))/g
const mediaName = /\.(png|jpe?g|gif|webp|pdf)$/i
const pathBegin = /^(\.{0,2}\/|~\/)/

/** What ends a sentence is none of the name before it. */
const bare = (word: string): string => word.replace(/[.,;:!?)\]}]+$/, "")

/** The files that a message may name, each once, in its order. An address of mail or a name with @ in it is none. */
export const mentionsIn = (message: string): ReadonlyArray<Mention> => {
  const found = new Map<string, Mention>()
  for (const [, quoted, word] of message.matchAll(written)) {
    const path = quoted ?? bare(word!)
    if (path === "") continue
    found.set(path, { path, isMeant: quoted !== undefined || mediaName.test(path) || pathBegin.test(path) })
  }
  return [...found.values()]
}

/** The path that is being typed behind an @ at the cursor; null where none is. */
export const mentionTyped = (before: string): string | null => /(?:^|\s)@(\S*)$/.exec(before)?.[1] ?? null
