/** Stored with every session's head, so it never changes: another number would put sessions on other shards. */
export const shardsPerGroup = 300

/** How long a node may be silent before its shards go to others. Only the frozen wait for it; the killed are noticed at once. */
export const lockExpirationMs = 10_000

export const lockRefreshMs = 2_000
