/** The contender's side: each request names an action, and gets its value or its error. */
export const serve = (
  actions: Readonly<Record<string, (input: never) => unknown>>,
  close: () => unknown = () => undefined
): void => {
  process.on("message", (message: { id: number; action: string; input: unknown }) => {
    const { action, id, input } = message
    const run = async () => {
      if (action === "ready") return null
      if (action === "stop") return (await close()) ?? null
      const work = actions[action]
      if (work === undefined) throw new Error(`there is no action ${action}`)
      return (await work(input as never)) ?? null
    }
    run().then(
      (value) => {
        process.send!({ id, value })
        if (action === "stop") process.disconnect()
      },
      (error: unknown) =>
        process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    )
  })
  // Whoever started us may be killed: nobody measures then.
  process.on("disconnect", () => process.exit(0))
}
