import { NotFoundError, type Troupe } from "@troupe/client"

/** One session from its agent to its end, told in lines that are the same wherever it runs. */
export const program = async (troupe: Troupe): Promise<ReadonlyArray<string>> => {
  const lines: Array<string> = []
  const agent = await troupe.agents.create({ name: "anywhere", model: "demo" })
  lines.push(`agent ${agent.name} at version ${agent.version}`)
  const session = await troupe.open({ agent: agent.id })
  await using stream = await session.stream()
  await session.send("say: hello from here")
  for await (const event of stream) {
    if (event.type === "agent.message") {
      lines.push(...event.content.map((block) => (block.type === "text" ? `text ${block.text}` : block.type)))
    }
    if (event.type === "session.status_idle") break
  }
  const { stop_reason } = await session.until("idle")
  lines.push(`idle because of ${stop_reason.type}`)
  const { timeline } = await session.timeline()
  lines.push(`turn ${timeline.threads[0]?.turns[0]?.state}`)
  let seq = 0
  for await (const event of session.log({ limit: 3 })) if (event.seq === seq + 1) seq = event.seq
  for await (const event of session.followLog()) if (event.seq === seq) break
  lines.push(`${seq > 3 ? "all" : "not all"} of the log`)
  await session.delete()
  const { requestId } = await troupe.agents.retrieve(agent.id).withResponse()
  lines.push(`request ids ${requestId?.slice(0, 4)}`)
  const error = await session.retrieve().catch((cause: unknown) => cause)
  lines.push(error instanceof NotFoundError ? `${error.name} ${error.status} ${error.type}` : String(error))
  return lines
}
