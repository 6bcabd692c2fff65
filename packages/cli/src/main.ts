#!/usr/bin/env node

type Run = (args: ReadonlyArray<string>) => Promise<number>

/** Loaded when asked for, so that none pays for the others. */
const commands: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Run> }>> = {
  up: {
    about: "runs all of Troupe here: database, node and runner",
    load: async () => (await import("./commands/up.ts")).up
  },
  run: {
    about: 'has an agent do one thing: troupe run "…"',
    load: async () => (await import("./commands/run.ts")).run
  },
  status: {
    about: "says what runs here, and how it is",
    load: async () => (await import("./commands/status.ts")).status
  },
  stop: {
    about: "stops what runs in the background",
    load: async () => (await import("./commands/stop.ts")).stop
  },
  doctor: {
    about: "looks for what is wrong on this host, and says what to do",
    load: async () => (await import("./commands/doctor.ts")).doctor
  },
  runner: {
    about: "runs sessions' attempts on this host: troupe runner --server URL --token-file FILE",
    load: async () => (await import("./commands/runner.ts")).runner
  }
}

const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(9)}${about}`)
const usage = `troupe <command>\n\n${lines.join("\n")}\n`

const [name = "", ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (command === undefined) {
  const asked = name === "" || name === "--help" || name === "-h"
  process[asked ? "stdout" : "stderr"].write(asked ? usage : `There is no command ${name}.\n\n${usage}`)
  process.exitCode = asked ? 0 : 2
} else {
  const run = await command.load()
  process.exitCode = await run(args)
}
