import type { Price } from "@troupe/domain/models/Price"
import type { ModelClient, ModelRequest } from "../../models/ModelClient.ts"

export interface ChosenModel {
  readonly client: ModelClient
  readonly model: string
  /** Null where nobody knows it. */
  readonly price: Price | null
  /** The same for what it does at a higher speed; absent: as at its usual one. */
  readonly fastPrice?: Price | null
}

/** A request, before it is known which model it is for. */
export type ModelDraft = Omit<ModelRequest, "model" | "cacheKey">
