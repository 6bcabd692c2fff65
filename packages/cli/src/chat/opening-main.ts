import { program } from "../program.ts"
import type { TalkWanted } from "./TalkWanted.ts"

const tell = (wanted: TalkWanted) =>
  new Promise<number>((resolve, reject) => {
    process.send!(wanted, undefined, undefined, (error) => (error === null ? resolve(0) : reject(error)))
  })

// Whoever waited is gone: there is nobody to open it for.
process.once("disconnect", () => process.exit())
process.channel!.unref()

process.exitCode = await program(process.argv.slice(2), tell)
