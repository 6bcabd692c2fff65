import type { Confinement } from "./Confinement.ts"
import type { PermissionRule } from "./PermissionRule.ts"

export interface Restriction {
  /** What it forbids or asks for of calls: so that a model learns of it at once. */
  readonly rules: ReadonlyArray<PermissionRule>
  /** Calls that change anything are denied, whatever the tool. */
  readonly denyChanges?: true
  /** What holds in the sandbox, however a command is written. */
  readonly confinement: Partial<Confinement>
}

const deny = (tool: string, reason: string, argument?: string, patterns?: ReadonlyArray<string>): PermissionRule => ({
  tool,
  ...(argument === undefined || patterns === undefined ? {} : { when: { [argument]: patterns } }),
  then: "deny",
  reason
})

const gitWrites = [
  ...["add", "am", "checkout", "cherry-pick", "commit", "config", "fetch", "gc", "init", "merge", "mv", "pull", "push"],
  ...["rebase", "remote add", "remote set-url", "reset", "revert", "rm", "stash", "submodule", "switch", "tag"],
  ...["update-index", "update-ref", "worktree"]
].flatMap((words) => ["", " *", "'*", '"*'].flatMap((end) => [`*git ${words}${end}`, `*git -* ${words}${end}`]))

const secretPaths = [
  ...["/**/.env", "/**/.env.*", "/**/*.pem", "/**/*.key", "/**/*.p12", "/**/*.pfx", "/**/id_rsa*", "/**/id_ed25519*"],
  ...["/**/.ssh/**", "/**/.aws/**", "/**/.azure/**", "/**/.gnupg/**", "/**/.kube/**", "/**/.docker/config.json"],
  ...["/**/.netrc", "/**/.npmrc", "/**/.pypirc", "/**/.git-credentials", "/**/credentials.json", "/proc/*/environ"]
]

const secretCommands = [
  ...[
    "*.env",
    "*.env *",
    "*.env.*",
    "*.pem*",
    "*id_rsa*",
    "*id_ed25519*",
    "*.ssh/*",
    "*.aws/*",
    "*.gnupg*",
    "*.kube/*"
  ],
  ...["*.netrc*", "*.npmrc*", "*.pypirc*", "*.git-credentials*", "*/proc/*/environ*", "printenv*", "env", "*ssh-add*"]
]

const dangerous = [
  ...["sudo *", "su", "su *", "doas *", "*rm -rf /", "*rm -fr /", "*rm -rf ~*", "*--no-preserve-root*"],
  ...["mkfs*", "dd *of=/dev/*", "*> /dev/sd*", "shutdown*", "reboot*", "halt*", "poweroff*", "*:(){*", "kill -9 -1*"],
  ...["curl *|*sh", "curl *|*sh *", "wget *|*sh", "wget *|*sh *", "mount *", "umount *", "insmod *", "modprobe *"],
  ...["chmod -R 777 /*", "crontab *", "nc -l*", "ncat -l*", "iptables *", "sysctl -w*"]
]

const noSecrets = "Secrets are not to be looked at here."
const noGit = "The repository's history is not to be changed here."

/** Bundles of rules that presets are made of. */
export const restrictions = {
  no_writes: { rules: [], denyChanges: true, confinement: { readOnly: true } },
  no_network: {
    rules: [
      deny("web_fetch", "There is no network here."),
      deny("web_search", "There is no network here."),
      { tool: "*/*", then: "ask", reason: "The tool is run by a server outside." }
    ],
    confinement: { network: "none" }
  },
  limited_network: { rules: [], confinement: { network: "limited" } },
  no_git_writes: {
    rules: [
      deny("bash", noGit, "command", [...gitWrites, "*git branch -*"]),
      ...["write", "edit"].map((tool) => deny(tool, noGit, "file_path", ["/**/.git", "/**/.git/**"]))
    ],
    confinement: { noGitWrites: true }
  },
  no_secrets: {
    rules: [
      deny("bash", noSecrets, "command", secretCommands),
      ...["read", "write", "edit"].map((tool) => deny(tool, noSecrets, "file_path", secretPaths)),
      ...["grep", "glob"].map((tool) => deny(tool, noSecrets, "path", secretPaths))
    ],
    confinement: { noHostVariables: true }
  },
  no_dangerous_commands: {
    rules: [deny("bash", "This command is not to be run by an agent.", "command", dangerous)],
    confinement: {}
  }
} as const satisfies Record<string, Restriction>
export type RestrictionName = keyof typeof restrictions

export const restrictionNames = Object.keys(restrictions) as unknown as readonly [
  RestrictionName,
  ...ReadonlyArray<RestrictionName>
]

export const restrictionOf = (name: RestrictionName): Restriction => restrictions[name]
