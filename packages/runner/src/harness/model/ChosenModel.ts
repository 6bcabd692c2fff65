import type { Price } from "@troupe/domain/models/Price"
import type { ModelClient, ModelRequest } from "../../models/ModelClient.ts"

export interface ChosenModel {
  readonly client: ModelClient
  readonly model: string
  /** Null where nobody knows it. */
  readonly price: Price | null
  /** That price is the maker's list price, which is for the usual speed. */
  readonly isListed?: boolean
}

/** A request, before it is known which model it is for. */
export type ModelDraft = Omit<ModelRequest, "model" | "cacheKey">
