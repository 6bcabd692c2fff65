import { Call } from "../http/Call.ts"
import type { Asked, Transport } from "../http/Transport.ts"
import type { CallOptions } from "../options.ts"

/** A part of the API. */
export abstract class Resource {
  protected readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  protected get<A>(path: string, query?: object, options?: CallOptions): Call<A> {
    return this.call({ method: "GET", path, query }, options)
  }

  protected post<A>(path: string, body?: object, options?: CallOptions): Call<A> {
    return this.call({ method: "POST", path, body }, options)
  }

  protected remove<A>(path: string, options?: CallOptions): Call<A> {
    return this.call({ method: "DELETE", path }, options)
  }

  protected call<A>(asked: Asked, options?: CallOptions): Call<A> {
    return new Call(this.transport.send<A>(asked, options))
  }
}
