/** How this browser is let in: by a cookie that scripts can't see, or by a key kept for as long as the tab lives. */
const place = "troupe.key"

let key: string | null = null
try {
  key = sessionStorage.getItem(place)
} catch {
  // Storage may be forbidden: then the key lives as long as the page.
}

export const currentKey = (): string | null => key

export const keepKey = (value: string | null): void => {
  key = value
  try {
    if (value === null) sessionStorage.removeItem(place)
    else sessionStorage.setItem(place, value)
  } catch {
    // As above.
  }
}
