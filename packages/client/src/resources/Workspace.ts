import type { Call } from "../http/Call.ts"
import { type Pages, pagesOf } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  Fleet as FleetStanding,
  HostDirectory,
  HostDirectoryListQuery,
  HostDirectoryRegister,
  Model,
  ModelListQuery,
  Runner,
  RunnerListQuery,
  Token,
  TokenCreate,
  TokenCreated,
  TokenListQuery,
  TokenRevoked,
  UsageQuery,
  UsageRow
} from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Keys of the workspace, and tokens for runners. */
export class Tokens extends Resource {
  /** The secret is in this answer and in no other. */
  create(body: TokenCreate, options?: CallOptions): Call<TokenCreated> {
    return this.post("/v1/tokens", body, options)
  }

  list(query?: TokenListQuery, options?: CallOptions): Pages<Token> {
    return list(this.transport, "/v1/tokens", query, options)
  }

  revoke(tokenId: string, options?: CallOptions): Call<TokenRevoked> {
    return this.remove(path`/v1/tokens/${tokenId}`, options)
  }
}

/** Directories of a runner's own host, below the roots that its owner allowed. */
class RunnerDirectories extends Resource {
  list(runnerId: string, query?: HostDirectoryListQuery, options?: CallOptions): Pages<HostDirectory> {
    return list(this.transport, path`/v1/runners/${runnerId}/directories`, query, options)
  }

  register(runnerId: string, body: HostDirectoryRegister, options?: CallOptions): Call<HostDirectory> {
    return this.post(path`/v1/runners/${runnerId}/directories`, body, options)
  }
}

/** Processes that do the work of sessions. */
export class Runners extends Resource {
  readonly directories = new RunnerDirectories(this.transport)

  list(query?: RunnerListQuery, options?: CallOptions): Pages<Runner> {
    return list(this.transport, "/v1/runners", query, options)
  }
}

/** How the installation stands, over all workspaces: for who runs the server. */
export class Fleet extends Resource {
  retrieve(options?: CallOptions): Call<FleetStanding> {
    return this.get("/v1/fleet", {}, options)
  }
}

interface ModelPage {
  readonly data: ReadonlyArray<Model>
  readonly has_more: boolean
  readonly last_id: string | null
}

/** What was used, in sums. */
export class Usage extends Resource {
  query(query?: UsageQuery, options?: CallOptions): Pages<UsageRow> {
    return list(this.transport, "/v1/usage", query, options)
  }
}

/** Models that connected runners can reach. */
export class Models extends Resource {
  list(query?: ModelListQuery, options?: CallOptions): Pages<Model> {
    return pagesOf<ModelPage, Model>(
      {
        ask: (asked) => this.transport.send({ method: "GET", path: "/v1/models", query: asked }, options),
        items: ({ data }) => data,
        more: ({ has_more, last_id }) => (has_more && last_id !== null ? { after_id: last_id } : null)
      },
      query
    )
  }

  retrieve(modelId: string, options?: CallOptions): Call<Model> {
    return this.get(path`/v1/models/${modelId}`, {}, options)
  }
}
