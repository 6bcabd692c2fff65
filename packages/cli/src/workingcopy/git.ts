import { execFile } from "node:child_process"
import { exitCodes } from "../app/exitCodes.ts"
import { Trouble } from "../app/Trouble.ts"

const outputMax = 64 * 1_048_576

/** A repository may name programs that git runs by itself: here it runs none of them. */
const quietly = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always"]

const trouble = (what: string, advice: string | null) => new Trouble({ what, advice, code: exitCodes.failed })

/** What git prints. */
export const git = (directory: string, ...args: ReadonlyArray<string>): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { cwd: directory, encoding: "buffer", maxBuffer: outputMax } as const
    execFile("git", [...quietly, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else if (error.code === "ENOENT") {
        reject(trouble("git was not found.", "Install git: --cwd asks it which files are the directory's own."))
      } else {
        const [said = error.message] = stderr.toString().trim().split("\n")
        reject(trouble(`${directory} can't be given to the agent: git said: ${said}`, null))
      }
    })
  })
