import { assert, describe, it } from "@effect/vitest"
import { toMarkdown } from "../../src/tools/web/markdown.ts"

const says = (html: string, markdown: string) =>
  assert.strictEqual(toMarkdown(html, "https://example.com/docs/").markdown, markdown)

describe("A page as markdown", () => {
  it("has headings, paragraphs and emphasis", () => {
    says("<h2>A <em>b</em></h2><p>One\n  two<br>three</p>four", "## A *b*\n\nOne two\nthree\n\nfour")
    says("<p>a<b> b </b>c <del>d</del></p>", "a **b** c ~~d~~")
  })

  it("has links that lead somewhere, and images that say something", () => {
    says(
      '<a href="../x?a=(1)">go</a> <a href="#top">top</a> <a href="javascript:x()">run</a>',
      "[go](https://example.com/x?a=%281%29) top run"
    )
    says('<img src="/a.png" alt="A"><img src="/b.png">', "![A](https://example.com/a.png)")
  })

  it("has lists in lists", () => {
    says("<ul><li>a<ul><li>b</li></ul></li><li><p>c</p><p>d</p></li></ul>", "- a\n  - b\n- c\n\n  d")
    says('<ol start="3"><li>x</li><li>y</li></ol>', "3. x\n4. y")
  })

  it("has code as it stands", () => {
    says(
      "<pre><code>a  b\n  &lt;c&gt;</code></pre><p>use <code>x`y</code></p>",
      "```\na  b\n  <c>\n```\n\nuse `` x`y ``"
    )
    says("<pre>```</pre>", "````\n```\n````")
  })

  it("has tables, but no layouts", () => {
    says(
      "<table><thead><tr><th>A</th><th>B</th></tr></thead><tr><td>1|2</td></tr></table>",
      "| A | B |\n| --- | --- |\n| 1\\|2 |  |"
    )
    says("<table><tr><td>only</td></tr></table>", "only")
  })

  it("leaves out what nobody reads", () => {
    says(
      "<script>x</script><style>y</style><p hidden>z</p><svg><text>s</text></svg><p>shown</p><noscript>n</noscript>",
      "shown"
    )
    says("<blockquote><p>a</p><p>b</p></blockquote><hr>", "> a\n>\n> b\n\n---")
  })
})
