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

/** What a runner lacks that one would look for. */
export const lacks = ({
  sandboxes
}: Pick<Runner, "sandboxes">): ReadonlyArray<{ readonly what: string; readonly why: string }> => [
  ...(sandboxes.includes("bubblewrap")
    ? []
    : [
        {
          what: "bubblewrap",
          why: "bwrap and socat are not installed there, or namespaces are forbidden: npx troupe doctor"
        }
      ]),
  ...(sandboxes.includes("docker") ? [] : [{ what: "docker", why: "no Docker engine answered it when it started" }])
]
