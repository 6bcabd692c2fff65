import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type { ModelCard, ModelCardCreate, ModelCardDeleted, ModelCardListQuery, ModelCardUpdate } from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Models of the workspace, with keys of its own. */
export class ModelCards extends Resource {
  create(body: ModelCardCreate, options?: CallOptions): Call<ModelCard> {
    return this.post("/v1/model_cards", body, options)
  }

  list(query?: ModelCardListQuery, options?: CallOptions): Pages<ModelCard> {
    return list(this.transport, "/v1/model_cards", query, options)
  }

  retrieve(modelCardId: string, options?: CallOptions): Call<ModelCard> {
    return this.get(path`/v1/model_cards/${modelCardId}`, {}, options)
  }

  update(modelCardId: string, body: ModelCardUpdate, options?: CallOptions): Call<ModelCard> {
    return this.post(path`/v1/model_cards/${modelCardId}`, body, options)
  }

  /** Tries it on a runner. */
  probe(modelCardId: string, options?: CallOptions): Call<ModelCard> {
    return this.post(path`/v1/model_cards/${modelCardId}/probe`, undefined, options)
  }

  delete(modelCardId: string, options?: CallOptions): Call<ModelCardDeleted> {
    return this.remove(path`/v1/model_cards/${modelCardId}`, options)
  }
}
