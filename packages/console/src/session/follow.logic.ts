/** Where a reader stands in what grows at its end. */
export interface Standing {
  readonly atEnd: boolean
  readonly unseen: number
}

/** Whoever was at the end stays there; whoever reads further up is left alone, and told how much came. */
export const follow = (standing: Standing, arrived: number): Standing & { readonly scrollToEnd: boolean } =>
  standing.atEnd
    ? { atEnd: true, unseen: 0, scrollToEnd: true }
    : { atEnd: false, unseen: standing.unseen + Math.max(0, arrived), scrollToEnd: false }

const nearPx = 48

export const isAtEnd = (box: {
  readonly scrollTop: number
  readonly clientHeight: number
  readonly scrollHeight: number
}) => box.scrollHeight - box.scrollTop - box.clientHeight <= nearPx
