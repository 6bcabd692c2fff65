import { wantedIn, wantedText } from "./login.logic.ts"

const place = "troupe.wanted"

/** Keeps the page that was asked for: a one-time link from elsewhere opens in a tab that knows nothing of it. */
export const rememberWanted = (path: string): void => {
  try {
    localStorage.setItem(place, wantedText(path, Date.now()))
  } catch {
    // Then only this tab knows.
  }
}

export const takeWanted = (): string | undefined => {
  try {
    const text = localStorage.getItem(place)
    localStorage.removeItem(place)
    return wantedIn(text, Date.now())
  } catch {
    return undefined
  }
}
