// What agents and their tools say may hold sequences by which a terminal does things: none of them gets through.
// eslint-disable-next-line no-control-regex
const sequences = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g

/** Text of somebody else's, with nothing in it but what is read. */
export const clean = (text: string): string => text.replaceAll(sequences, "").replaceAll(controls, "")
