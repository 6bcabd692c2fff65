/** What came with a message beside its words, by its name or its kind. */
export const attachedIn = (content: ReadonlyArray<{ readonly type: string }>): ReadonlyArray<string> =>
  content.flatMap((block) => {
    if (block.type === "image") return ["a picture"]
    if (block.type !== "document") return []
    const { title } = block as { readonly title?: unknown }
    return [typeof title === "string" ? title : "a document"]
  })
