import { vi } from "vitest"
import { program } from "../../packages/cli/src/program.ts"
import type { Ended } from "./Running.ts"

/** A command in this very process, which has read its modules already: as it would be in one of its own, but for its start. */
export const inProcess = async (args: ReadonlyArray<string>, environment: Readonly<Record<string, string>>) => {
  const said = { stdout: "", stderr: "" }
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      said[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()
      return true
    })
  )
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  try {
    return { code: await program(args), ...said } satisfies Ended
  } finally {
    process.exitCode = undefined
    vi.unstubAllEnvs()
    for (const spy of spies) spy.mockRestore()
  }
}
