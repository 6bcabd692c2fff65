#!/usr/bin/env node
import { runner } from "./commands/runner.ts"

const commands: Readonly<Record<string, (args: ReadonlyArray<string>) => Promise<number>>> = { runner }

const usage = `troupe <command>

  runner   runs sessions' attempts on this host: troupe runner --server URL --token-file FILE
`

const [name = "", ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (command === undefined) {
  const asked = name === "" || name === "--help" || name === "-h"
  process[asked ? "stdout" : "stderr"].write(asked ? usage : `There is no command ${name}.\n\n${usage}`)
  process.exitCode = asked ? 0 : 2
} else process.exitCode = await command(args)
