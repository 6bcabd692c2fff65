import { sha256 } from "@troupe/domain/log/Sha256"
import { readBundle, verifyBundle as verify, type BundleReport } from "@troupe/domain/replay/Bundle"
import { Result } from "effect"

/**
 * Checks an exported session with nothing but its file: that its log is whole, that it folds to its checkpoints, and that
 * the same commands would be decided the same. Takes the lines of the bundle, or chunks of its text as they are read.
 * Rejects with `BundleUnreadable`, which names the line, where the file is no bundle.
 */
export const verifyBundle = async (text: AsyncIterable<string> | Iterable<string>): Promise<BundleReport> => {
  const lines: Array<string> = []
  let rest = ""
  for await (const chunk of text) {
    const parts = (rest + chunk).split("\n")
    rest = parts.pop()!
    for (const part of parts) lines.push(part)
  }
  if (rest !== "") lines.push(rest)
  return verify(Result.getOrThrow(readBundle(lines)), sha256)
}
