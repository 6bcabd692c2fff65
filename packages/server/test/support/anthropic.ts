import Anthropic, { toFile } from "@anthropic-ai/sdk"
import Before1 from "anthropic-sdk-0.120"
import { apiKey } from "./apiKey.ts"

export type { Anthropic }
export { toFile }

/** The releases of the SDK that people have: each is to find what the contract says. */
export const sdks = [
  ["of today", Anthropic],
  ["before 1.0", Before1 as unknown as typeof Anthropic]
] as const

/** The vendor's own client at a node, which says at once what went wrong. */
export const anthropicAt = (baseURL: string, Sdk: typeof Anthropic = Anthropic): Anthropic =>
  new Sdk({ apiKey, baseURL, maxRetries: 0 })
