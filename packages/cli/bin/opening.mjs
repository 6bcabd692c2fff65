// Reads the command line of a chat, and finds or opens its session, for the process that waits to hold it. See talk.mjs.
await import("./sparing.mjs")
await import("../src/chat/opening-main.ts")
