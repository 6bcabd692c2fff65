import Anthropic, { toFile } from "@anthropic-ai/sdk"
import { apiKey } from "./apiKey.ts"

export type { Anthropic }
export { toFile }

/** The vendor's own client at a node, which says at once what went wrong. */
export const anthropicAt = (baseURL: string): Anthropic => new Anthropic({ apiKey, baseURL, maxRetries: 0 })
