import type { Lifecycle } from "@troupe/domain/environment/EnvironmentConfig"
import { variables } from "@troupe/domain/Variables"
import { Schema } from "effect"

/** What the last attempt at a place left, and since when nobody works there. */
export const Rest = Schema.Struct({
  /** `working`: it has not ended, or a person stopped it and may have more to say. `waiting`: it goes on once somebody answers. */
  ended: Schema.Literals(["working", "waiting", "done", "failed"]),
  /** Whether what the working copy holds is in a checkpoint. */
  kept: Schema.Boolean,
  /** Whether what runs there ends while the session rests, as the session itself wants it. */
  sleeps: Schema.optionalKey(Schema.Boolean),
  at: Schema.Int
})
export type Rest = typeof Rest.Type

/** How long after a turn the next one may come without finding the sandbox put away. */
export const defaultGraceMs: number = variables.TROUPE_SANDBOX_GRACE_MS.usual

/**
 * What is to become of a place where nobody works. `sleep` ends what runs and keeps the files. Nothing is deleted that is kept
 * nowhere else: such a place sleeps until a turn has captured it.
 */
export const dueAt = (
  { keepFailed, onCompletion, ttlSeconds }: Lifecycle,
  { at, ended, kept, sleeps = false }: Rest,
  now: number,
  graceMs = defaultGraceMs
): "stay" | "sleep" | "delete" => {
  if (keepFailed && ended === "failed") return "stay"
  const deleted = kept ? "delete" : "sleep"
  if (ttlSeconds !== null && now - at >= ttlSeconds * 1_000) return deleted
  const wanted = onCompletion === "retain" && sleeps ? "sleep" : onCompletion
  if (wanted === "retain" || ended === "working" || ended === "waiting" || now - at < graceMs) return "stay"
  return wanted === "delete" ? deleted : "sleep"
}
