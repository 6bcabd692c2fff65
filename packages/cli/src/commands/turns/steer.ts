import { turnCommand } from "./turnCommand.ts"

export const steer = turnCommand("steer", "Has a turn that waits join the one that runs", "joins the turn that runs")
