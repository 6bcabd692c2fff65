import { sendEvents } from "../api/resources.ts"

export const say = (sessionId: string, text: string) =>
  sendEvents(sessionId, [{ type: "user.message", content: [{ type: "text", text }] }])

export const interrupt = (sessionId: string) => sendEvents(sessionId, [{ type: "user.interrupt" }])
