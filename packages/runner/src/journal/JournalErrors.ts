import { Schema } from "effect"

/** The journal can't be used at all: the runner can't work without it. */
export class JournalUnusable extends Schema.TaggedError<JournalUnusable>()("JournalUnusable", {
  directory: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The journal in ${this.directory} can't be used: ${this.detail}`
  }
}

/** Something in the journal that can't be used. It was moved to `aside`, and the rest goes on without it. */
export class JournalFinding extends Schema.TaggedError<JournalFinding>()("JournalFinding", {
  path: Schema.String,
  what: Schema.Literals(["foreign", "damaged"]),
  detail: Schema.String
}) {
  override get message() {
    return `${this.path} is ${this.what}: ${this.detail}`
  }
}

/** There is no room to begin another attempt. */
export class NoRoom extends Schema.TaggedError<NoRoom>()("NoRoom", { detail: Schema.String }) {
  override get message() {
    return `The journal has no room for another attempt: ${this.detail}`
  }
}
