import type { Token } from "@troupe/client"
import { ago } from "../../app/time.ts"

/** Whether a token opens anything, and until when. */
export const tokenState = ({ expires_at, revoked_at }: Pick<Token, "expires_at" | "revoked_at">, now: number) => {
  if (revoked_at !== null) return "revoked"
  if (expires_at === null) return "holds"
  return `${Date.parse(expires_at) <= now ? "expired" : "expires"} ${ago(expires_at, now)}`
}
