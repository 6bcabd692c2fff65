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

/** What is opened of the loopback, for nodes and runners alike. */
interface StageOptions {
  readonly egressAllow?: ReadonlyArray<string>
}

const settingsWith = (files: string, { egressAllow = [] }: StageOptions) => ({
  TROUPE_EGRESS_ALLOW: egressAllow.join(","),
  TROUPE_FILES: "filesystem",
  TROUPE_FILES_DIRECTORY: files,
  TROUPE_MASTER_KEY: "a-master-key-of-tests-that-is-long-enough"
})

/** A node that serves the console as it is now, a runner with the demo model, and a key to both. */
export class Stage {
  readonly system: System
  readonly origin: string
  readonly troupe: Troupe
  private readonly settings: ReturnType<typeof settingsWith>

  private constructor(system: System, origin: string, settings: ReturnType<typeof settingsWith>) {
    this.system = system
    this.origin = origin
    this.settings = settings
    this.troupe = new Troupe({ baseURL: origin, apiKey })
  }

  static async make(options: StageOptions = {}): Promise<Stage> {
    const built = buildConsole()
    if (built?.ok === false) throw new Error(built.output)
    const system = await System.make(7)
    const settings = settingsWith(mkdtempSync(join(tmpdir(), "troupe-console-")), options)
    const { gateway } = await system.node(settings)
    system.runner({ env: { TROUPE_EGRESS_ALLOW: settings.TROUPE_EGRESS_ALLOW } })
    return new Stage(system, gateway, settings)
  }

  /** Where a browser is let in, once. */
  async door(): Promise<string> {
    return (await this.troupe.access.createLoginLink()).url
  }

  /** Another node where one was killed. */
  async reopen(): Promise<void> {
    await this.system.node({ ...this.settings, TROUPE_PORT: new URL(this.origin).port })
  }

  async end(): Promise<void> {
    await this.system.end()
    rmSync(this.settings.TROUPE_FILES_DIRECTORY, { recursive: true, force: true })
  }
}
