/** The rows of a page's table that name a test: a link to its file, and its title. */
export const rulesOf = (page) =>
  [...page.matchAll(/\| \[[\w.]+\]\(\.\.\/(\S+\.test\.ts)\) +\| (.+?) +\|$/gm)].map(([, file, title]) => ({
    file,
    title
  }))

const none = { passed: 0, failed: 0, skipped: 0 }

/** What became of the files whose tests show the rules of `docs/compatibility.md`. */
export const conformanceOf = (page, files) => {
  const byFile = Map.groupBy(rulesOf(page), ({ file }) => file)
  const rows = [...byFile]
    .map(([file, rules]) => ({ file, rules: rules.length, ...none, ...files[file] }))
    .sort((one, other) => one.file.localeCompare(other.file))
  const sum = (name) => rows.reduce((all, row) => all + row[name], 0)
  return [
    "## The compatible API",
    "",
    `${sum("rules")} rules of \`docs/compatibility.md\`, each shown by a test, in ${rows.length} files: ` +
      `${sum("passed")} tests passed, ${sum("failed")} failed, ${sum("skipped")} were skipped.`,
    "",
    "| file | rules | passed | failed | skipped |",
    "|---|---|---|---|---|",
    ...rows.map(
      ({ failed, file, passed, rules, skipped }) => `| ${file} | ${rules} | ${passed} | ${failed} | ${skipped} |`
    ),
    ""
  ].join("\n")
}
