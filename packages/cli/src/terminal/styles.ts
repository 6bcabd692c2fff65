const style =
  (on: number, off: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001B[${on}m${text}\u001B[${off}m`

/** A terminal that has no colours, or was told by NO_COLOR to show none, is given none. */
const hasColours = (): boolean => process.stdout.isTTY !== true || process.stdout.hasColors()

const colour = (on: number) => {
  const coloured = style(on, 39)
  return (text: string): string => (hasColours() ? coloured(text) : text)
}

/** How words look. All of them are read without it as well. */
export const bold = style(1, 22)
export const dim = style(2, 22)
export const italic = style(3, 23)
export const underline = style(4, 24)
export const red = colour(31)
export const green = colour(32)
export const yellow = colour(33)
export const cyan = colour(36)
