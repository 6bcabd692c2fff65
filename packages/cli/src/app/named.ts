import type { Troupe } from "@troupe/client"
import { exitCodes } from "./exitCodes.ts"
import { ourName } from "./NameConfig.ts"
import { Trouble } from "./Trouble.ts"

/** Things of a kind that have names beside their ids. */
export interface Named<A> {
  /** What one is called. */
  readonly kind: string
  /** The command that lists them. */
  readonly command: string
  readonly all: (troupe: Troupe) => AsyncIterable<A>
  readonly one: (troupe: Troupe, id: string) => PromiseLike<A>
}

const isId = (given: string) => /^[a-z]+_[0-9A-Za-z]{16,}$/.test(given)

/** The one with this id, or by this name. */
export const findNamed = async <A extends { readonly name: string }>(
  troupe: Troupe,
  { all, command, kind, one }: Named<A>,
  given: string
): Promise<A> => {
  if (isId(given)) return await one(troupe, given)
  for await (const found of all(troupe)) if (found.name === given) return found
  throw new Trouble({
    what: `There is no ${kind} ${given}.`,
    advice: `${ourName} ${command} list shows those there are.`,
    code: exitCodes.refused
  })
}

export const agentsByName = {
  kind: "agent",
  command: "agents",
  all: ({ agents }: Troupe) => agents.list({ limit: 100 }),
  one: ({ agents }: Troupe, id: string) => agents.retrieve(id)
}
