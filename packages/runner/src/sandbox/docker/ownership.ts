import { Effect } from "effect"
import { lchown, lstat, opendir } from "node:fs/promises"
import { join } from "node:path"

/**
 * Gives a directory and all in it to an account. Links are not followed: at most what lies in the directory changes
 * hands. Only root can, so for others nothing is done: their containers run as themselves.
 */
export const giveTo = (path: string, account: { readonly uid: number; readonly gid: number }): Effect.Effect<void> =>
  process.getuid?.() === 0 ? Effect.promise(() => give(path, account)) : Effect.void

const give = async (path: string, account: { readonly uid: number; readonly gid: number }): Promise<void> => {
  try {
    const stats = await lstat(path)
    if (stats.uid !== account.uid || stats.gid !== account.gid) await lchown(path, account.uid, account.gid)
    if (!stats.isDirectory()) return
    for await (const entry of await opendir(path)) await give(join(path, entry.name), account)
  } catch (error) {
    // Gone while we looked, or a file system that has no owners.
    if (!(error instanceof Error && "code" in error)) throw error
  }
}
