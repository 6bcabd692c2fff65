const pausesMs = [250, 500, 1_000, 2_000, 5_000]

/** How long is waited before a connection is tried again that failed so often before. */
export const pauseAfter = (failures: number): number => pausesMs[Math.min(failures, pausesMs.length - 1)]!
