/** Pages without TLS, as in a local network, have no clipboard of their own: what is selected can still be copied. */
const copySelected = (text: string): void => {
  const before = document.activeElement
  const area = document.createElement("textarea")
  area.value = text
  area.style.position = "fixed"
  area.style.opacity = "0"
  // Beside what has the focus, so that a dialog does not take it back.
  const place = before?.parentElement ?? document.body
  place.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
  if (before instanceof HTMLElement) before.focus()
}

export const copyText = async (text: string): Promise<void> => {
  if (window.isSecureContext) await navigator.clipboard.writeText(text)
  else copySelected(text)
}
