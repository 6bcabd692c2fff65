import type { Token } from "@troupe/client"

export const scopes = ["read", "write", "approve", "runner", "admin"] as const
export type Scope = (typeof scopes)[number]

export const scopeTexts: Readonly<Record<Scope, string>> = {
  read: "look at everything",
  write: "start and steer sessions, change agents",
  approve: "allow and deny calls",
  runner: "add runners",
  admin: "all of it, and keys"
}

export const toggled = (chosen: ReadonlyArray<Scope>, scope: Scope): ReadonlyArray<Scope> =>
  chosen.includes(scope)
    ? chosen.filter((one) => one !== scope)
    : scopes.filter((one) => one === scope || chosen.includes(one))

const titles: Readonly<Record<string, string>> = {
  api_key: "API key",
  runner: "Runner",
  runner_registration: "Runner registration",
  end_user: "End user",
  worker: "Worker",
  environment_key: "Environment",
  stream: "Stream",
  console: "Browser"
}

export const kindTitle = (kind: string): string => titles[kind] ?? kind

/** Those that still open something, API keys first. */
export const living = (tokens: ReadonlyArray<Token>): ReadonlyArray<Token> =>
  tokens
    .filter(({ revoked_at }) => revoked_at === null)
    .sort((a, b) => Number(b.kind === "api_key") - Number(a.kind === "api_key") || a.name.localeCompare(b.name))
