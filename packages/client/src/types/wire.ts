import type { Json } from "@troupe/domain/Json"
import type { Brand } from "effect/Brand"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"

/** A type of the contract without brands, as programs write and read it: ids are strings. */
export type Plain<A> = Json extends A
  ? A
  : A extends string & Brand<string>
    ? string
    : A extends object
      ? { readonly [K in keyof A]: Plain<A[K]> }
      : A

type Typed<S> = S extends { readonly Type: infer A } ? Plain<A> : never

export type Body<E> = Typed<HttpApiEndpoint.Payload<E>>
export type Query<E> = Typed<HttpApiEndpoint.Query<E>>
export type Answered<E> = Typed<HttpApiEndpoint.Success<E>>
