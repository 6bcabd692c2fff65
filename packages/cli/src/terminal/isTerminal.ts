/** Whether somebody types here, and reads what is shown. */
export const isTerminal = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true
