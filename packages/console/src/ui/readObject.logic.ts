type Read = { readonly _tag: "Read"; readonly value: object } | { readonly _tag: "Wrong"; readonly why: string }

/** JSON as somebody writes it: the object that it is, or what is wrong with it. */
export const readObject = (text: string, what: string): Read => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { _tag: "Read", value }
      : { _tag: "Wrong", why: `${what} is a JSON object.` }
  } catch (error) {
    return { _tag: "Wrong", why: error instanceof Error ? error.message : String(error) }
  }
}
