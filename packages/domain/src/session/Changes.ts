import { Schema } from "effect"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** How many of the changed files are named. */
export const changedPathsMax = 20

/** What changed in a working copy, in numbers. Lines are those of files that are texts of no great size. */
export const Changes = Schema.Struct({
  files: Count,
  added: Count,
  deleted: Count,
  /** The first of them. Null lines: its content is no text, or too much of it. */
  paths: Schema.Array(
    Schema.Struct({
      path: Schema.String,
      change: Schema.Literals(["added", "removed", "changed", "retyped"]),
      added: Schema.NullOr(Count),
      deleted: Schema.NullOr(Count)
    })
  ),
  /** False where there are more than were looked at. */
  isComplete: Schema.Boolean
})
export type Changes = typeof Changes.Type
