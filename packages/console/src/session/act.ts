import type { Json } from "@troupe/domain/Json"
import { sendEvents } from "../api/resources.ts"

export const say = (sessionId: string, text: string) =>
  sendEvents(sessionId, [{ type: "user.message", content: [{ type: "text", text }] }])

export const interrupt = (sessionId: string) => sendEvents(sessionId, [{ type: "user.interrupt" }])

export const allow = (sessionId: string, callId: string) =>
  sendEvents(sessionId, [{ type: "user.tool_confirmation", tool_use_id: callId, result: "allow" }])

export const deny = (sessionId: string, callId: string, message: string) =>
  sendEvents(sessionId, [
    {
      type: "user.tool_confirmation",
      tool_use_id: callId,
      result: "deny",
      ...(message.trim() === "" ? {} : { deny_message: message.trim() })
    }
  ])

export const answer = (sessionId: string, callId: string, value: Json) =>
  sendEvents(sessionId, [
    {
      type: "user.custom_tool_result",
      custom_tool_use_id: callId,
      content: [{ type: "text", text: typeof value === "string" ? value : JSON.stringify(value) }]
    }
  ])
