import { turnCommand } from "./turnCommand.ts"

export const approve = turnCommand("approve", "Lets a turn begin that waits for approval", "may begin")
