import type { Runner } from "@troupe/client"

/** How a runner stands, and what that means for sessions. */
export const standingOf = ({ draining, status }: Pick<Runner, "draining" | "status">) => {
  if (status === "revoked") return { light: "bad", text: "Revoked", means: "It can't come back." } as const
  if (status === "away")
    return { light: "waiting", text: "Away", means: "Its sessions wait for it, or move on." } as const
  return draining
    ? ({ light: "waiting", text: "Draining", means: "It finishes what it has and takes nothing new." } as const)
    : ({ light: "good", text: "Connected", means: "It takes turns." } as const)
}

const isolation: Readonly<Record<string, string>> = {
  bubblewrap: "namespaces, without a container engine",
  docker: "a container for each session",
  local: "no isolation: asks before every tool",
  none: "no sandbox: tools of the model alone"
}

export const isolationOf = (sandbox: string): string => isolation[sandbox] ?? "made by this runner"

/** What a runner looked for and can't use, with its own words for why. */
export const lacks = ({
  unusable
}: Pick<Runner, "unusable">): ReadonlyArray<{ readonly what: string; readonly why: string }> =>
  unusable.map(({ name, reasons }) => ({ what: name, why: reasons.join("; ") || "It can't be used there." }))
