import type { SessionHandle } from "@troupe/client"

const titleMax = 80

/** What a session is called where nobody names it: what was said first. */
export const titleOf = (message: string): string => message.trim().split("\n", 1)[0]!.slice(0, titleMax)

/** Names a session that has no name yet, so that it is found again. What keeps it from that keeps nobody from talking. */
export const entitle = async (session: SessionHandle, message: string): Promise<void> => {
  try {
    const { title } = await session.retrieve()
    if (title === null) await session.update({ title: titleOf(message) })
  } catch {
    return
  }
}
