const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  EISDIR: "it is a directory"
}

/** Why a file could not be read, or its content not be understood, in the words of its first line. */
export const whyUnreadable = (cause: unknown): string => {
  const { code = "", message } = cause as NodeJS.ErrnoException
  return reasons[code] ?? message.split("\n")[0]!.replace(/[:.]+$/, "")
}
