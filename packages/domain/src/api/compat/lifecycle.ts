import type { Lifecycle } from "../../session/Opening.ts"
import type { Lifecycle as Shown, SessionCreate } from "../Sessions.ts"

type Given = NonNullable<NonNullable<SessionCreate["troupe"]>["lifecycle"]>

/** What a session is opened with. What is not said keeps it. */
export const lifecycleIn = ({ keep_failed, on_idle, ttl_seconds }: Given = {}): Lifecycle => ({
  onIdle: on_idle ?? "retain",
  keepFailed: keep_failed ?? true,
  ttlMs: ttl_seconds == null ? null : ttl_seconds * 1_000
})

/** Sessions that were not opened over the API may live for parts of seconds. */
export const lifecycleOut = ({ keepFailed, onIdle, ttlMs }: Lifecycle): Shown => ({
  on_idle: onIdle,
  keep_failed: keepFailed,
  ttl_seconds: ttlMs === null ? null : Math.ceil(ttlMs / 1_000)
})
