/**
 * For the environment of a process that a test starts: where compiled code is kept. Suites start hundreds of processes, and
 * each of them would compile the same modules for half a second.
 */
export const compiled: Readonly<Record<string, string>> =
  process.env["NODE_COMPILE_CACHE"] === undefined ? {} : { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }
