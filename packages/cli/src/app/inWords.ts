interface Said {
  readonly what: string
  readonly advice: string | null
  /** The number of the request that was refused; null where none was. */
  readonly requestId?: string | null
}

/** What went wrong, as people read it. Apart from the error, which needs more than a chat has room for. */
export const inWords = ({ advice, requestId = null, what }: Said): string => {
  const numbered = requestId === null ? what : `${what} (${requestId})`
  return advice === null ? numbered : `${numbered}\n${advice}`
}
