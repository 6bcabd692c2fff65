import { refuse } from "../ApiError.ts"

const nameMax = 255

/** What files of these endings are. A client that says nothing better is not believed to have sent mere bytes. */
const types: Readonly<Record<string, string>> = {
  csv: "text/csv",
  css: "text/css",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  gif: "image/gif",
  gz: "application/gzip",
  htm: "text/html",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript",
  json: "application/json",
  jsonl: "application/x-ndjson",
  log: "text/plain",
  md: "text/markdown",
  pdf: "application/pdf",
  png: "image/png",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  py: "text/x-python",
  sh: "text/x-shellscript",
  svg: "image/svg+xml",
  tar: "application/x-tar",
  ts: "text/x-typescript",
  txt: "text/plain",
  wav: "audio/wav",
  webp: "image/webp",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip"
}
const unknownType = "application/octet-stream"

const mediaType = /^[a-z0-9][\w.+-]{0,126}\/[a-z0-9][\w.+-]{0,126}$/

const endingOf = (name: string): string => /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ""

/** What a file is, by what was said of it, and by its name where that says more. */
export const mimeTypeOf = (name: string, said: string | undefined): string => {
  const plain = said?.split(";")[0]?.trim().toLowerCase() ?? ""
  if (mediaType.test(plain) && plain !== unknownType) return plain
  return Object.hasOwn(types, endingOf(name)) ? types[endingOf(name)]! : unknownType
}

// oxlint-disable-next-line no-control-regex
const control = /[\x00-\x1f\x7f]/

/** The name that a file keeps: the last part of what was sent, or one made up from what the file is. */
export const fileNameOf = (sent: string, mimeType: string): string => {
  const name = sent.split(/[/\\]/).at(-1)!.trim()
  if (name === "" || name === "." || name === "..") {
    const ending = Object.keys(types).find((one) => types[one] === mimeType)
    return ending === undefined ? "unnamed" : `unnamed.${ending}`
  }
  if (name.length > nameMax) refuse(`file: a file's name has at most ${nameMax} characters`)
  if (control.test(name) || !name.isWellFormed()) refuse("file: the file's name holds characters that no name takes")
  return name
}
