import { Schema } from "effect"

/** Content could not be carried between this runner and a node. `away` may pass, the others do not. */
export class BlobError extends Schema.TaggedError<BlobError>()("BlobError", {
  sha256: Schema.NullOr(Schema.String),
  reason: Schema.Literals(["missing", "refused", "damaged", "tooLarge", "away"]),
  detail: Schema.String
}) {
  override get message() {
    return `Blob ${this.sha256 ?? ""} ${this.reason}: ${this.detail}`
  }
}
