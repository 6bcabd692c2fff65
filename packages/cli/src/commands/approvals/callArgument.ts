import { Argument } from "effect/cli"

export const callArgument = Argument.String("call").pipe(Argument.withDescription("The call, by its id"))
