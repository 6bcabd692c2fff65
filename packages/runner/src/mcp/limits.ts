/** What one MCP server may cost us. docs/mcp.md says the same. */
export const mcpLimits = {
  /** One message of a server, whatever it travels in. */
  messageBytesMax: 32 * 1_024 * 1_024,
  /** From the first byte to the list of tools. */
  connectMs: 30_000,
  /** For the probe of the newest protocol; a process that has not answered by then is spoken to in the older one. */
  probeMs: 5_000,
  /** The end of a call, whatever progress it tells of. */
  callMs: 3_600_000,
  /** How long a process may take to end by itself once its input is closed. */
  closeMs: 1_000,
  listPagesMax: 64,
  descriptionLengthMax: 8_192,
  /** Of its log and its standard error, for one connection; what is beyond is not written down. */
  logLinesMax: 1_000,
  logLineLengthMax: 2_000,
  /** What a failure quotes of the standard error. */
  stderrLength: 800
} as const
