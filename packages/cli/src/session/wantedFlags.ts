import { Option } from "effect"
import { Flag } from "effect/cli"
import type { Wanted } from "./agents.ts"

/** What `run` and `chat` are told of the session that they make, or go on with. */
export const wantedFlags = {
  model: Flag.String("model").pipe(
    Flag.optional,
    Flag.withDescription("The model, such as claude-… or openai/…; else the workspace's, else one that can be reached")
  ),
  agent: Flag.String("agent").pipe(
    Flag.optional,
    Flag.withDescription("An agent, by its id or its name, used as it is")
  ),
  harness: Flag.String("harness").pipe(Flag.optional, Flag.withDescription("What drives the model, such as shell")),
  yes: Flag.Boolean("yes").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Tools may run without asking where nothing isolates them")
  ),
  cwd: Flag.Boolean("cwd").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "Gives the agent this directory's files: a repository as a clone, else a copy, without what is ignored"
    )
  ),
  continue: Flag.Boolean("continue").pipe(
    Flag.withAlias("c"),
    Flag.withDefault(false),
    Flag.withDescription("Goes on with the session that was made last")
  )
}

export interface Given {
  readonly model: Option.Option<string>
  readonly agent: Option.Option<string>
  readonly harness: Option.Option<string>
}

export const wantedOf = ({ agent, harness, model }: Given, isTrusted: boolean): Wanted => ({
  agent: Option.getOrNull(agent),
  harness: Option.getOrNull(harness),
  model: Option.getOrNull(model),
  isTrusted
})
