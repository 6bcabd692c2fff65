import type { Troupe } from "@troupe/client"
import { usageTrouble } from "../app/Trouble.ts"
import { giveDirectory } from "../workingcopy/giveDirectory.ts"
import { latest, open } from "./open.ts"
import { type Given, wantedOf } from "./wantedFlags.ts"

interface Beginning extends Given {
  readonly continue: boolean
  readonly cwd: boolean
}

/** The session that `run` and `chat` were told to work in: the last one, or one that begins. Answers its id. */
export const begin = async (
  troupe: Troupe,
  flags: Beginning,
  {
    isTrusted,
    message,
    say
  }: { readonly isTrusted: boolean; readonly message: string | null; readonly say: (text: string) => void }
): Promise<string> => {
  if (flags.continue && flags.cwd) {
    throw usageTrouble("A session that goes on has its files already.", "Leave --cwd or --continue out.")
  }
  if (flags.continue) return await latest(troupe)
  const resources = flags.cwd ? await giveDirectory(troupe, process.cwd(), say) : []
  return await open(troupe, wantedOf(flags, isTrusted), message, resources)
}
