import type { SessionChanges, Troupe } from "@troupe/client"

/** The checkpoint that a session's working copy began with; null where it began empty. */
const beginning = async (troupe: Troupe, sessionId: string): Promise<string | null> => {
  const { resources } = await troupe.sessions.retrieve(sessionId)
  const hasBegun = resources.some(
    ({ troupe: own }) => (own as { readonly unpack?: boolean } | undefined)?.unpack === true
  )
  if (!hasBegun) return null
  const captured = troupe.sessions.log.list(sessionId, { limit: 1_000, "types[]": ["WorkingCopyCaptured"] })
  for await (const { payload, type } of captured) {
    if (type === "WorkingCopyCaptured" && payload !== null) return payload.checkpoint
  }
  return null
}

/** What a session has changed of what it began with. */
export const changesOf = async (troupe: Troupe, sessionId: string): Promise<SessionChanges> => {
  const from = await beginning(troupe, sessionId)
  return await troupe.sessions.place.changes(sessionId, from === null ? {} : { from })
}
