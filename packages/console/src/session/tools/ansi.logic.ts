import Anser from "anser"

export interface Painted {
  readonly text: string
  readonly className: string
}

/** Output of a terminal, in pieces of one colour each. Colours are classes, so that they fit light and dark. */
export const paint = (output: string): ReadonlyArray<Painted> =>
  Anser.ansiToJson(output, { use_classes: true, remove_empty: true, json: true }).map(
    ({ bg, content, decorations, fg }) => ({
      text: content,
      className: [
        fg ? `fg-${fg}` : "",
        bg ? `bg-${bg}` : "",
        ...(decorations ?? []).map((decoration) => `ansi-${decoration}`)
      ]
        .filter((name) => name !== "")
        .join(" ")
    })
  )

export const shownMax = 24_000

/** The beginning and the end of what is too long to be drawn at once. */
export const shorten = (output: string): string => {
  if (output.length <= shownMax) return output
  const left = output.length - shownMax
  return `${output.slice(0, shownMax / 2)}\n… ${left} characters left out …\n${output.slice(-shownMax / 2)}`
}
