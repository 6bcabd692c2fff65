const style =
  (on: number, off: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001B[${on}m${text}\u001B[${off}m`

/** How words look. All of them are read without it as well. */
export const bold = style(1, 22)
export const dim = style(2, 22)
export const italic = style(3, 23)
export const underline = style(4, 24)
export const red = style(31, 39)
export const yellow = style(33, 39)
export const cyan = style(36, 39)
