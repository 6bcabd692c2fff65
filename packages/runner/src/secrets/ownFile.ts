import { closeSync, fstatSync, openSync, readFileSync } from "node:fs"

/** The text of a file, or of an inherited descriptor, and whether it is a file that other accounts may read too. */
export const ownFile = (from: string | number): { readonly text: string; readonly open: boolean } => {
  const file = typeof from === "number" ? from : openSync(from, "r")
  try {
    const stat = fstatSync(file)
    return { text: readFileSync(file, "utf8"), open: stat.isFile() && (stat.mode & 0o077) !== 0 }
  } finally {
    closeSync(file)
  }
}

/** What its owner is told of a secret that others may have read. */
export const othersMayRead = "others may read it: chmod 600 it, and renew what it holds"
