/** How a skipped suite carries its reason in its name, for `requires` to write and the reporter to read. */
export const needs = (name: string, why: string) => `${name} [skipped: ${why}]`

export const reasonOf = (name: string) => /\[skipped: (.*)\]$/.exec(name)?.[1]
