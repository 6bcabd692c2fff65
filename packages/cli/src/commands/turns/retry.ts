import { turnCommand } from "./turnCommand.ts"

export const retry = turnCommand("retry", "Tries a turn again that failed", "is tried again")
