/** Under what a write is known to the server, however often it is sent. Pages without TLS have no `randomUUID`. */
export const idempotencyKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
