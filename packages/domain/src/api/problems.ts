import type { Schema } from "effect"
import * as SchemaIssue from "effect/SchemaIssue"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const pathOf = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>): string =>
  path.map((part) => String(typeof part === "object" ? part.key : part)).join(".")

/** What is wrong with a value, as one sentence that names the places. `at` is where the value itself stands. */
export const describe = (error: Schema.SchemaError | SchemaIssue.Issue, at = ""): string => {
  const { issues } = format(
    "issue" in error && "_tag" in error && error._tag === "SchemaError" ? error.issue : (error as SchemaIssue.Issue)
  )
  const some = issues.slice(0, 5).map(({ message, path = [] }) => {
    const place = [at, pathOf(path)].filter((part) => part !== "").join(".")
    // What was sent is not sent back: it may be long, or a secret.
    const said = message.replace(/, (got|actual) [\s\S]*$/, "").slice(0, 300)
    return place === "" ? said : `${place}: ${said}`
  })
  return some.join("; ")
}
