import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import { path } from "../http/url.ts"
import type { CallOptions } from "../options.ts"
import type {
  ClientConfig,
  LoggedOut,
  Login,
  LoginLink,
  LoginListQuery,
  LoginRevoked,
  Me,
  Token,
  TokenCreate,
  TokenCreated,
  Workspace,
  WorkspaceCreate,
  WorkspaceListQuery
} from "../types/api.ts"
import { list } from "./list.ts"
import { Resource } from "./Resource.ts"

/** Browsers that are logged in. */
class Logins extends Resource {
  list(query?: LoginListQuery, options?: CallOptions): Pages<Token> {
    return list(this.transport, "/v1/logins", query, options)
  }

  revoke(loginId: string, options?: CallOptions): Call<LoginRevoked> {
    return this.remove(path`/v1/logins/${loginId}`, options)
  }
}

/** Who one is, and how a browser gets in. */
export class Access extends Resource {
  readonly logins = new Logins(this.transport)

  me(options?: CallOptions): Call<Me> {
    return this.get("/v1/me", {}, options)
  }

  /** What a client has to know of this installation. */
  config(options?: CallOptions): Call<ClientConfig> {
    return this.get("/v1/config/client", {}, options)
  }

  /** Takes a one-time token or a key, and leaves the browser with a cookie: for clients with `credentials: "cookie"`. */
  login(body: Login, options?: CallOptions): Call<Me> {
    return this.post("/v1/login", body, options)
  }

  logout(options?: CallOptions): Call<LoggedOut> {
    return this.post("/v1/logout", undefined, options)
  }

  /** An address that logs one browser in, once. */
  createLoginLink(options?: CallOptions): Call<LoginLink> {
    return this.post("/v1/login_links", undefined, options)
  }
}

/** Workspaces of the installation. */
export class Workspaces extends Resource {
  list(query?: WorkspaceListQuery, options?: CallOptions): Pages<Workspace> {
    return list(this.transport, "/v1/workspaces", query, options)
  }

  create(body: WorkspaceCreate, options?: CallOptions): Call<Workspace> {
    return this.post("/v1/workspaces", body, options)
  }

  /** Makes a token there: its first key, for one. */
  createToken(workspaceId: string, body: TokenCreate, options?: CallOptions): Call<TokenCreated> {
    return this.post(path`/v1/workspaces/${workspaceId}/tokens`, body, options)
  }
}
