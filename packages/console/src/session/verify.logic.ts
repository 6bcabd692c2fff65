import type { SessionVerification } from "@troupe/client"
import { plural } from "../ui/format.logic.ts"

export interface Proof {
  readonly ok: boolean
  readonly title: string
  readonly text: string
}

/** What was checked and what came of it, in sentences. */
export const proofsOf = ({ chain, decisions, projection, unreadable }: SessionVerification): ReadonlyArray<Proof> => [
  {
    ok: chain.ok,
    title: "The log is whole",
    text: chain.ok
      ? `${plural(chain.checked, "event")}, each with the hash of the one before it${
          chain.redacted === 0 ? "" : `; the content of ${chain.redacted} was redacted, and the chain still holds`
        }.`
      : `${plural(chain.findings.length, "place")} where it is not what was written.`
  },
  ...(decisions === null
    ? []
    : [
        {
          ok: decisions.ok,
          title: "It was decided by the rules",
          text: decisions.ok
            ? `${plural(decisions.accepted + decisions.rejected, "command")} decided again, with the same outcome.`
            : `${plural(decisions.findings.length, "command")} would be decided otherwise.`
        }
      ]),
  ...(projection === null
    ? []
    : [
        {
          ok: projection.ok,
          title: "What is shown is what is in the log",
          text: projection.ok ? "Folding the log again gives the same state." : "The kept state is another one."
        }
      ]),
  ...(unreadable === null ? [] : [{ ok: false, title: "Not all of it can be read", text: unreadable }])
]

interface Badge {
  readonly kind: "unknown" | "good" | "bad"
  readonly text: string
  /** What it means, and what happens on a click. */
  readonly title: string
}

/** What a check says of the session as it is on the screen: of what came later it says nothing. */
export const badgeOf = (found: Pick<SessionVerification, "ok" | "version"> | null, seen: number): Badge => {
  if (found === null) return { kind: "unknown", text: "Verify", title: "Check that nothing of the log was changed" }
  if (!found.ok) return { kind: "bad", text: "Does not verify", title: "The check found something: show what" }
  if (found.version >= seen)
    return { kind: "good", text: "Verified", title: `All ${found.version} events hold: check again` }
  return {
    kind: "good",
    text: `Verified to ${found.version}`,
    title: `Events up to ${found.version} hold, and ${seen - found.version} came since: check again`
  }
}
