/** What this tab keeps of a session: nobody else sees it, and a reload finds it again. */
type Kind = "terminals" | "comments" | "draft"

const place = (kind: Kind, sessionId: string) => `troupe.${kind}.${sessionId}`

export const remembered = (kind: Kind, sessionId: string): string | undefined => {
  try {
    return sessionStorage.getItem(place(kind, sessionId)) ?? undefined
  } catch {
    return undefined
  }
}

export const remember = (kind: Kind, sessionId: string, text: string | undefined): void => {
  try {
    if (text === undefined) sessionStorage.removeItem(place(kind, sessionId))
    else sessionStorage.setItem(place(kind, sessionId), text)
  } catch {
    // Then it lasts as long as the page.
  }
}
