import { createHash } from "node:crypto"

export type Settings = Readonly<Record<string, string>>

const defaults: Settings = {
  shared_buffers: "128MB",
  max_connections: "200",
  // Acknowledged means on disk: the log is the truth.
  synchronous_commit: "on",
  max_wal_size: "1GB",
  min_wal_size: "80MB",
  checkpoint_timeout: "5min",
  // Our statements are short; compiling one costs more than running it.
  jit: "off",
  password_encryption: "scram-sha-256",
  // A password holds 256 random bits, which no number of rounds makes harder to guess, and each connection pays them.
  scram_iterations: "1",
  // Backstop for every role; the application's is stricter (Roles.ts).
  idle_in_transaction_session_timeout: "5min",
  // A killed client is noticed within a statement, so its locks do not outlive it by the statement's length.
  client_connection_check_interval: "2s",
  default_text_search_config: "pg_catalog.english",
  timezone: "UTC",
  log_timezone: "UTC",
  log_destination: "stderr",
  logging_collector: "off",
  log_line_prefix: "%m [%p] %q%u@%d ",
  log_min_messages: "warning",
  log_checkpoints: "off",
  log_lock_waits: "on",
  // Failed statements and the details of errors quote values, and a session's content does not belong in a log file.
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_parameter_max_length_on_error: "0"
}

/** The configuration file that each start writes, so that settings follow the release and not the day of initdb. */
export const renderSettings = (extra: Settings): string =>
  "# Written by Troupe at every start. Your own settings go into local.conf beside it, which is read last.\n" +
  Object.entries({ ...defaults, ...extra })
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join("")

export const includes = "# Written by Troupe.\ninclude 'troupe.conf'\ninclude_if_exists 'local.conf'\n"

export const localSettings = "# Your settings. They win over ours.\n"

/** Which accounts may connect and how: never without a password, over the socket neither. */
export const hostBasedAuthentication = [
  "# Written by Troupe.",
  "local all all scram-sha-256",
  "host all all 127.0.0.1/32 scram-sha-256",
  ""
].join("\n")

/** A name for one version of binaries and settings: a running server that carries another one is started anew. */
export const clusterName = (version: string, rendered: string): string =>
  `troupe-${createHash("sha256").update(version).update(rendered).digest("hex").slice(0, 16)}`
