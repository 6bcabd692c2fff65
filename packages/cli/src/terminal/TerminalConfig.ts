/** Whether somebody types here, and a picture can be drawn. TERM=dumb is of terminals that only print. */
export const isTerminal = (): boolean =>
  process.stdin.isTTY === true && process.stdout.isTTY === true && process.env["TERM"] !== "dumb"
