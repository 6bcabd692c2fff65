/** Whoever came through npm, as in a clone, has nothing of ours in PATH. */
const isNpm = process.env["npm_lifecycle_event"] !== undefined

/** What is typed to call this program. */
export const ourName = isNpm ? "npx troupe" : "troupe"

/** What is typed to start everything. */
export const startWords = isNpm ? "npm start" : "troupe up"
