import { turnCommand } from "./turnCommand.ts"

export const withdraw = turnCommand("withdraw", "Takes a turn back that waits", "is taken back")
