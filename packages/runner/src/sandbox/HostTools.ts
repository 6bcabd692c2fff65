import { spawnSync } from "node:child_process"
import type { ScriptTools } from "./scripts.ts"
import { findTool, systemPath } from "./Tools.ts"

export interface HostTools extends ScriptTools {
  readonly setpriv: string
  readonly setsid: string
}

const quick = { env: { PATH: systemPath, LC_ALL: "C" }, cwd: "/", encoding: "utf8", timeout: 20_000 } as const

/** The programs of util-linux and coreutils that launching takes, or which of them are missing. */
export const hostTools = (): HostTools | { readonly missing: ReadonlyArray<string> } => {
  const found = {
    cat: findTool("cat"),
    prlimit: findTool("prlimit"),
    setpriv: findTool("setpriv"),
    setsid: findTool("setsid")
  }
  const { cat, prlimit, setpriv, setsid } = found
  if (cat === undefined || prlimit === undefined || setpriv === undefined || setsid === undefined) {
    return { missing: Object.entries(found).flatMap(([name, path]) => (path === undefined ? [name] : [])) }
  }
  // Busybox has a program of that name which knows less.
  if (!spawnSync(setpriv, ["--help"], quick).stdout?.includes("--pdeathsig")) {
    return { missing: ["setpriv of util-linux 2.34 or newer"] }
  }
  return { cat, prlimit, setpriv, setsid, script: findTool("script"), stty: findTool("stty") }
}

export const versionOf = (command: string): string | null => {
  const { status, stdout } = spawnSync(command, ["--version"], quick)
  return status === 0 ? (stdout.trim().split("\n")[0] ?? null) : null
}

export const hasTerminal = (tools: HostTools): boolean => tools.script !== undefined && tools.stty !== undefined

/** Dies with the runner, and gains no rights that the runner's own account has not. */
export const guardOf = (tools: HostTools, noNewPrivileges: boolean): ReadonlyArray<string> => [
  tools.setpriv,
  "--pdeathsig",
  "KILL",
  ...(noNewPrivileges ? ["--no-new-privs"] : []),
  "--"
]
