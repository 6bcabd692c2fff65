import { fromTime, prefixes, type IdKind } from "@troupe/domain/Ids"
import { randomFillSync } from "node:crypto"
import { textOf } from "../../harness/payload.ts"

const pool = Buffer.alloc(8_192)
let at = pool.length

export const mint = (kind: IdKind): string => {
  if (at + 10 > pool.length) {
    randomFillSync(pool)
    at = 0
  }
  at += 10
  return fromTime(prefixes[kind], Date.now(), pool.subarray(at - 10, at))
}

const envelope = (body: object) => ({
  commandId: mint("Command"),
  at: Date.now(),
  actor: { type: "api_key", id: "apikey_0123456789abcdef" },
  correlationId: "0123456789abcdef0123456789abcdef",
  body
})

const workspaceId = mint("Workspace")
const agentId = mint("Agent")

/** Opens a session as an API client does; `note` adds to the size of what it folds to. */
export const openOf = (sessionId: string, note = "") =>
  envelope({
    _tag: "Open",
    sessionId,
    workspaceId,
    threadId: mint("Thread"),
    agent: {
      agentId,
      version: 1,
      digest: "0".repeat(64),
      name: "bench",
      description: null,
      model: { id: "demo" },
      auxModel: null,
      system: null,
      harness: "shell",
      tools: [],
      mcpServers: [],
      skills: [],
      policies: [],
      multiagent: null
    },
    environment: null,
    resources: [],
    vaultIds: [],
    title: null,
    metadata: { note },
    labels: [],
    budget: [],
    origin: { type: "api" },
    createdBy: "bench",
    projectId: null,
    visibility: "workspace",
    endUser: null,
    deploymentId: null,
    externalThreadKey: null,
    lifecycle: { onIdle: "retain", keepFailed: false, ttlMs: null },
    history: [],
    inputs: []
  })

/** Of a `SystemMessageReceived` without its text: what the text adds to makes 420 bytes of payload. */
const payloadWithoutText = 161

/** A command that leads to exactly one event of 420 bytes of payload: a message that starts no turn. */
export const messageOf = (mark: string) =>
  envelope({
    _tag: "Send",
    inputs: [
      {
        _tag: "SystemMessage",
        inputId: mint("Event"),
        content: [{ type: "text", text: `${mark} ${textOf(420 - payloadWithoutText - mark.length - 1)}` }]
      }
    ]
  })
