const place = (sessionId: string) => `troupe.terminals.${sessionId}`

/** The terminals of a session that this tab has opened, for whoever comes back by another address. */
export const remembered = (sessionId: string): string | undefined => {
  try {
    return sessionStorage.getItem(place(sessionId)) ?? undefined
  } catch {
    return undefined
  }
}

export const remember = (sessionId: string, ids: string | undefined): void => {
  try {
    if (ids === undefined) sessionStorage.removeItem(place(sessionId))
    else sessionStorage.setItem(place(sessionId), ids)
  } catch {
    // Then the address alone knows them.
  }
}
