import { Schema, SchemaAST } from "effect"
import { fromUuid, prefixes } from "../../src/Ids.ts"

const small = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`
const idOf = /an id that starts with (.+)_/

/** Three ids for each kind, so that what is generated collides. */
const pools = new Map(
  Object.values(prefixes).map((prefix) => [
    prefix as string,
    Schema.Literals([1, 2, 3].map((n) => fromUuid(prefix, small(n)))).ast
  ])
)

const expected = (ast: SchemaAST.AST): string =>
  (ast.checks ?? []).map((check) => String(check.annotations?.["expected"] ?? "")).join()

type Composite = { readonly recur?: (change: (ast: SchemaAST.AST) => SchemaAST.AST) => SchemaAST.AST }

const change = (ast: SchemaAST.AST): SchemaAST.AST => {
  if (SchemaAST.isSuspend(ast)) return ast
  const prefix = SchemaAST.isString(ast) ? idOf.exec(expected(ast))?.[1] : undefined
  return (prefix === undefined ? undefined : pools.get(prefix)) ?? (ast as Composite).recur?.(change) ?? ast
}

/** The same schema, with every id out of a small pool: random text would never be one. */
export const pooled = <S extends Schema.Constraint>(schema: S): S => Schema.make<S>(change(schema.ast))
