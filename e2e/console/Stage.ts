import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Troupe } from "@troupe/client"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { buildConsole } from "../../scripts/console.mjs"
import { System } from "../support/System.ts"

export const toolsWith = (type: "always_allow" | "always_ask") => [
  { type: "agent_toolset_20260401", default_config: { permission_policy: { type } } },
  { type: "troupe_toolset", configs: [{ name: "ask_user" }] }
]

const settingsWith = (files: string) => ({
  TROUPE_FILES: "filesystem",
  TROUPE_FILES_DIRECTORY: files,
  TROUPE_MASTER_KEY: "a-master-key-of-tests-that-is-long-enough"
})

/** A node that serves the console as it is now, a runner with the demo model, and a key to both. */
export class Stage {
  readonly system: System
  readonly origin: string
  readonly troupe: Troupe
  private readonly files: string

  private constructor(system: System, origin: string, files: string) {
    this.system = system
    this.origin = origin
    this.files = files
    this.troupe = new Troupe({ baseURL: origin, apiKey })
  }

  static async make(): Promise<Stage> {
    const built = buildConsole()
    if (built?.ok === false) throw new Error(built.output)
    const system = await System.make(7)
    const files = mkdtempSync(join(tmpdir(), "troupe-console-"))
    const { gateway } = await system.node(settingsWith(files))
    system.runner()
    return new Stage(system, gateway, files)
  }

  /** Where a browser is let in, once. */
  async door(): Promise<string> {
    return (await this.troupe.access.createLoginLink()).url
  }

  /** Another node where one was killed. */
  async reopen(): Promise<void> {
    await this.system.node({ ...settingsWith(this.files), TROUPE_PORT: new URL(this.origin).port })
  }

  async end(): Promise<void> {
    await this.system.end()
    rmSync(this.files, { recursive: true, force: true })
  }
}
