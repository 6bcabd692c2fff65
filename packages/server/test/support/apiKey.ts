/** The first key of the first workspace of nodes that tests start. */
export const apiKey = `trp_key_${"test".repeat(10)}`
