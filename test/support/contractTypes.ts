import { read } from "./repository.ts"

export interface Declared {
  readonly fields: ReadonlySet<string>
  readonly values: ReadonlySet<string>
}

const declarations = "node_modules/@anthropic-ai/sdk/resources/beta"

/** An interface or a type of a module, up to what is declared next. */
const statement = /^export (?:interface|type) (\w+)([^]*?)(?=^(?:export|declare|import|\/\/#))/gm
const field = /^ +(?:'([^']+)'|(\w+))\??: /gm
/** A text that is a type, and not the name of a field. */
const value = /'([^'\n]*)'(?!\??:)/g

/** What the types of some modules of the SDK name: their fields, and the texts that these may hold. */
export const declaredBy = (
  modules: ReadonlyArray<string>,
  isMeant: (name: string) => boolean = () => true
): Declared => {
  const found = modules
    .flatMap((module) => {
      const text = read(`${declarations}/${module}.d.ts`).replaceAll(/\/\*[^]*?\*\//g, "")
      return [...text.matchAll(statement)].filter(([, name]) => isMeant(name!))
    })
    .map(([, , body]) => body!)
  return {
    fields: new Set(found.flatMap((body) => [...body.matchAll(field)].map(([, quoted, plain]) => (quoted ?? plain)!))),
    values: new Set(found.flatMap((body) => [...body.matchAll(value)].map(([, text]) => text!)))
  }
}
