import type { ExecRequest } from "./Sandbox.ts"
import { egress } from "./Sandbox.ts"

/** Programs of the host, by their absolute paths, that the scripts use; what is in `/usr` is at the same place inside. */
export interface ScriptTools {
  readonly cat: string
  readonly prlimit: string
  readonly script: string | undefined
  readonly stty: string | undefined
}

/**
 * The descriptors of a launch: the first three are the streams. Over the second one bubblewrap gets its arguments; where there
 * is no bubblewrap, the inner script gets its word to go, because on the first one somebody else listens by then.
 */
export const descriptors = { control: 3, second: 4, seccomp: 5, status: 9 } as const

export interface Outer {
  readonly input: boolean
  readonly terminal: boolean
  /** Whether all of it is put in the group; else only what is inside of it. */
  readonly announces: boolean
}

/**
 * Around each process, on the host, as the sandbox's account.
 *
 * Node gives its children sockets, and `/dev/stdout` of a socket cannot be opened, which many scripts do. So the process gets
 * pipes, made by its own account, and `cat` moves the bytes; a reader who waits makes the process wait. Over the control
 * socket it says its number and waits to be put in its group, and at the end it says how the process ended.
 */
export const outerScript = (tools: ScriptTools, options: Outer) => {
  const close = "3>&- 4<&- 5<&- 6>&- 7>&- 8>&-"
  const run = `"$@" 9>&3; echo "exit $?" >&3`
  const wait = options.announces ? `echo "outer $$" >&3; read -r go <&3 || exit 1` : ":"
  if (options.terminal) return `${wait}; ${run}`
  const body = `{ { { "$@" 9>&3 2>&8 6>&- 7>&- 8>&-; echo "exit $?" >&3; } | ${tools.cat} >&6 ${close}; } 8>&1 | ${tools.cat} >&7 ${close}; }`
  // The runner is gone when its end of the control socket is; then all of this goes, and bubblewrap's inside with it.
  const watch = `( exec >/dev/null 2>&1 4<&- 5<&-; read -r never <&3; kill -9 0 ) &`
  return `${wait}; ${watch} exec 6>&1 7>&2; ${options.input ? `${tools.cat} ${close} | ` : ""}${body}`
}

/** How the relay inside is started: `socat` where the host has it, else our own, run by the runner's Node. */
export type Relay = { readonly command: ReadonlyArray<string> } | null

const word = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
const words = (texts: ReadonlyArray<string>) => texts.map(word).join(" ")

/** Loopback's port as the kernel lists listeners: address and port in hexadecimal, the address in the machine's order. */
const listening = `0100007F:${egress.port.toString(16).toUpperCase().padStart(4, "0")}`

const startRelay = (relay: Relay) =>
  relay === null
    ? ""
    : `
( ${words(relay.command)} </dev/null >/dev/null 2>&1 3>&- 9>&- & )
tries=0
until while read -r slot address rest; do [ "$address" = ${listening} ] && break; done </proc/net/tcp; do
  tries=$((tries + 1)); [ $tries -lt 1000 ] || { echo "relay" >&3; exit 1; }
  sleep 0.01
done`

export interface Inner {
  readonly relay: Relay
  /** Whether this script itself has to be put in the group: where nothing separates it from the one around it. */
  readonly announces: boolean
  readonly request: ExecRequest
  /** `SHELL` of the process, which `script` reads too. */
  readonly shell: string | undefined
  readonly limits: ReadonlyArray<string>
}

/**
 * Inside, before the process and in its place: goes to the directory, starts the relay, says that all is well, and becomes
 * the process without a descriptor of ours left. `$1` is the directory, the rest is the command.
 */
export const innerScript = (tools: ScriptTools, { announces, limits, relay, request, shell }: Inner) => `
${announces ? `echo "inner $$" >&3; read -r go <&4 || exit 1` : ""}
exec 4<&- 5<&- 9>&-
directory=$1; shift
cd -- "$directory" 2>/dev/null || { echo directory >&3; exit 1; }
unset OLDPWD${startRelay(relay)}
echo ready >&3
${request.terminal === undefined ? `exec 3>&-; exec ${words([tools.prlimit, ...limits, "--"])} "$@"` : enterTerminal(tools, request, shell, limits)}
`

/** `script` makes the terminal and moves the bytes; sizes come over the control socket, to a helper that the process is no parent of. */
const enterTerminal = (
  tools: ScriptTools,
  { command, terminal }: ExecRequest,
  shell: string | undefined,
  limits: ReadonlyArray<string>
) => {
  const stty = tools.stty ?? "stty"
  const resizing = `( trap "" INT QUIT TSTP; while read -r columns rows; do ${stty} columns "$columns" rows "$rows" </dev/tty; done <&3 >/dev/null 2>&1 & )`
  const inside = [
    `${stty} columns ${terminal?.columns} rows ${terminal?.rows}`,
    resizing,
    "exec 3>&-",
    shell === undefined ? "unset SHELL" : `SHELL=${word(shell)}`,
    `exec ${words([tools.prlimit, ...limits, "--", ...command])}`
  ].join("; ")
  return `SHELL=/bin/sh; export SHELL; exec ${tools.script ?? "script"} -q -e -f -c ${word(inside)} /dev/null 2>&1`
}
