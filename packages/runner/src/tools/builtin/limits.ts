/** What the built-in tools hold to. The table in docs/tools.md says the same. */
export const limits = {
  bash: {
    timeoutMs: 120_000,
    timeoutMsMax: 3_600_000,
    commandLengthMax: 262_144,
    headBytes: 20_000,
    tailBytes: 10_000
  },
  read: {
    timeoutMs: 30_000,
    linesMax: 2_000,
    lineLengthMax: 2_000,
    textBytesMax: 57_344,
    imageBytesMax: 5_242_880,
    pdfBytesMax: 16_777_216
  },
  write: { timeoutMs: 30_000, bytesMax: 786_432 },
  edit: { timeoutMs: 30_000, bytesMax: 8_388_608 },
  glob: { timeoutMs: 60_000, filesMax: 1_000, bytesMax: 57_344 },
  grep: { timeoutMs: 60_000, headLimit: 250, headLimitMax: 10_000, headBytes: 40_000, tailBytes: 0, columnsMax: 1_000 },
  web_fetch: {
    timeoutMs: 60_000,
    bytesMax: 10_485_760,
    textLength: 20_000,
    textLengthMax: 60_000,
    textBytesMax: 60_000,
    renderMs: 15_000
  },
  web_search: { timeoutMs: 30_000, results: 8, resultsMax: 20, snippetLength: 1_000 }
} as const

/** Of what the session spills. The oldest file goes when a new one finds no room. */
export const spillLimits = { fileBytesMax: 268_435_456, sessionBytesMax: 1_073_741_824 } as const
