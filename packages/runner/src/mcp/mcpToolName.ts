import { hash } from "node:crypto"

/** What every provider takes. */
const lengthMax = 64
const digits = 8

/**
 * What models and policies call a tool of a server: `mcp__server__tool`. It follows from these two names alone, so that it
 * stays the same whatever other servers there are. Where they can't be told from it, a digest of them makes it one's own.
 */
export const mcpToolName = (server: string, tool: string): string => {
  const plain = `mcp__${server}__${tool}`
  const isClear = !server.includes("__") && !server.endsWith("_")
  if (isClear && plain.length <= lengthMax && /^[A-Za-z0-9_-]+$/.test(plain)) return plain
  const digest = hash("sha256", JSON.stringify([server, tool]), "hex").slice(0, digits)
  return `${plain.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, lengthMax - digits - 1)}_${digest}`
}
