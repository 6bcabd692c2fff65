import { type DefaultTreeAdapterTypes, parse } from "parse5"

type Node = DefaultTreeAdapterTypes.Node
type Element = DefaultTreeAdapterTypes.Element

export interface Page {
  readonly title: string | null
  readonly markdown: string
}

/** A page as a model reads it: its text with headings, lists, links, tables and code, without what is only for the eye. */
export const toMarkdown = (html: string, base: string): Page => {
  const document = parse(html)
  const renderer = new Renderer(base)
  const markdown = renderer.blocks(document, 0)
  return { title: renderer.title, markdown: tidy(markdown) }
}

/** Deeper nesting has no meaning for a reader, and would use up the stack. */
const depthMax = 200

const left = new Set([
  "script",
  "style",
  "noscript",
  "template",
  "svg",
  "iframe",
  "object",
  "canvas",
  "head",
  "select",
  "button",
  "dialog"
])
const passing = new Set([
  "html",
  "body",
  "main",
  "article",
  "section",
  "div",
  "header",
  "footer",
  "aside",
  "nav",
  "form",
  "figure",
  "details",
  "center",
  "address",
  "fieldset"
])
const blocky = new Set([
  ...passing,
  "p",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "ul",
  "ol",
  "li",
  "pre",
  "blockquote",
  "table",
  "hr",
  "dl",
  "dt",
  "dd",
  "summary",
  "figcaption"
])

const tidy = (text: string): string =>
  text
    .replaceAll(/[ \t]+\n/g, "\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim()

const children = (node: Node): ReadonlyArray<Node> => ("childNodes" in node ? node.childNodes : [])
const isElement = (node: Node): node is Element => "tagName" in node
const attribute = (element: Element, name: string): string =>
  element.attrs.find((one) => one.name === name)?.value ?? ""
const isHidden = (element: Element): boolean =>
  element.attrs.some(({ name, value }) => name === "hidden" || (name === "aria-hidden" && value === "true"))

class Renderer {
  title: string | null = null
  private readonly base: string

  constructor(base: string) {
    this.base = base
  }

  /** What stands below each other. Inline pieces that follow each other are one paragraph. */
  blocks(parent: Node, depth: number): string {
    if (depth > depthMax) return plain(parent)
    const parts: Array<string> = []
    let line = ""
    const flush = () => {
      if (line.trim() !== "") parts.push(line.trim())
      line = ""
    }
    for (const node of children(parent)) {
      if (isElement(node) && blocky.has(node.tagName)) {
        flush()
        if (!isHidden(node)) parts.push(this.block(node, depth + 1))
      } else line += this.inline(node, depth + 1)
    }
    flush()
    return parts.filter((part) => part.trim() !== "").join("\n\n")
  }

  private block(element: Element, depth: number): string {
    const heading = /^h([1-6])$/.exec(element.tagName)
    if (heading !== null) {
      const text = oneLine(this.inlines(element, depth))
      return text === "" ? "" : `${"#".repeat(Number(heading[1]))} ${text}`
    }
    switch (element.tagName) {
      case "ul":
      case "ol":
        return this.list(element, depth)
      case "pre":
        return fenced(plain(element).replace(/^\n/, ""))
      case "blockquote":
        return prefixed(this.blocks(element, depth), "> ", "> ")
      case "table":
        return this.table(element, depth)
      case "hr":
        return "---"
      case "dt":
        return `**${oneLine(this.inlines(element, depth))}**`
      default:
        return this.blocks(element, depth)
    }
  }

  private inline(node: Node, depth: number): string {
    if ("value" in node && node.nodeName === "#text") return node.value.replaceAll(/\s+/g, " ")
    if (!isElement(node)) return ""
    if (node.tagName === "head") this.readTitle(node)
    if (left.has(node.tagName) || isHidden(node)) return ""
    if (depth > depthMax) return oneLine(plain(node))
    switch (node.tagName) {
      case "br":
        return "\n"
      case "img":
        return attribute(node, "alt") === ""
          ? ""
          : `![${oneLine(attribute(node, "alt"))}](${this.address(attribute(node, "src"))})`
      case "a":
        return this.link(node, depth)
      case "code":
      case "kbd":
      case "samp":
        return coded(plain(node))
      case "strong":
      case "b":
        return around("**", this.inlines(node, depth))
      case "em":
      case "i":
        return around("*", this.inlines(node, depth))
      case "del":
      case "s":
        return around("~~", this.inlines(node, depth))
      case "input":
      case "textarea":
        return ""
      default:
        return this.inlines(node, depth)
    }
  }

  private inlines(parent: Node, depth: number): string {
    if (depth > depthMax) return oneLine(plain(parent))
    let text = ""
    for (const node of children(parent)) {
      const own = this.inline(node, depth + 1)
      text += isElement(node) && blocky.has(node.tagName) ? ` ${own} ` : own
    }
    return text
  }

  private link(element: Element, depth: number): string {
    const text = oneLine(this.inlines(element, depth))
    const reference = attribute(element, "href")
    // Where one already is, nobody needs to be led to.
    const target = reference.startsWith("#") ? "" : this.address(reference)
    return text === "" || target === "" ? text : `[${text}](${target})`
  }

  private address(reference: string): string {
    const url = URL.parse(reference, this.base)
    if (reference === "" || url === null || !["http:", "https:", "mailto:"].includes(url.protocol)) return ""
    return url.href.replaceAll("(", "%28").replaceAll(")", "%29")
  }

  private list(element: Element, depth: number): string {
    let number = Number.parseInt(attribute(element, "start"), 10) || 1
    const items = children(element).flatMap((node) => {
      if (!isElement(node) || isHidden(node)) return []
      const mark = element.tagName === "ol" ? `${number++}. ` : "- "
      const text = this.blocks(node, depth + 1)
      return text.trim() === ""
        ? []
        : [prefixed(text.replaceAll(/\n\n(?=\s*(?:[-*]|\d+\.) )/g, "\n"), mark, " ".repeat(mark.length))]
    })
    return items.join("\n")
  }

  private table(element: Element, depth: number): string {
    const rows = rowsOf(element, 0).map((row) =>
      children(row)
        .filter(isElement)
        .filter(({ tagName }) => tagName === "td" || tagName === "th")
        .map((cell) => oneLine(this.inlines(cell, depth)).replaceAll("|", "\\|"))
    )
    const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
    // One column is a layout, not a table.
    if (width < 2) return rows.map((row) => row.join(" ")).join("\n\n")
    const line = (cells: ReadonlyArray<string>) =>
      `| ${Array.from({ length: width }, (_, at) => cells[at] ?? "").join(" | ")} |`
    const [first = [], ...rest] = rows
    return [line(first), `|${" --- |".repeat(width)}`, ...rest.map(line)].join("\n")
  }

  private readTitle(head: Element): void {
    const title = children(head).find((node) => isElement(node) && node.tagName === "title")
    if (title !== undefined && this.title === null) this.title = oneLine(plain(title)) || null
  }
}

const rowsOf = (element: Element, depth: number): ReadonlyArray<Element> =>
  children(element).flatMap((node) => {
    if (!isElement(node) || depth > 3) return []
    if (node.tagName === "tr") return [node]
    return ["thead", "tbody", "tfoot"].includes(node.tagName) ? rowsOf(node, depth + 1) : []
  })

/** All text below, as it is. Without recursion: this is where nesting without end ends. */
const plain = (start: Node): string => {
  const parts: Array<string> = []
  const waiting: Array<Node> = [start]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if ("value" in node && node.nodeName === "#text") parts.push(node.value)
    else if (isElement(node) && node.tagName === "br") parts.push("\n")
    else if (!isElement(node) || !left.has(node.tagName)) {
      const below = children(node)
      for (let at = below.length - 1; at >= 0; at--) waiting.push(below[at]!)
    }
  }
  return parts.join("")
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()

/** Spaces at the ends of what is emphasised belong outside. */
const around = (mark: string, text: string): string => {
  const inner = text.trim()
  if (inner === "") return text
  return `${/^\s/.test(text) ? " " : ""}${mark}${inner}${mark}${/\s$/.test(text) ? " " : ""}`
}

const ticks = (text: string, least: number): string =>
  "`".repeat((text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length + 1), least))

const coded = (text: string): string => {
  const line = oneLine(text)
  const mark = ticks(line, 1)
  return line === "" ? "" : mark.length === 1 ? `\`${line}\`` : `${mark} ${line} ${mark}`
}

const fenced = (text: string): string => {
  const mark = ticks(text, 3)
  return text.trim() === "" ? "" : `${mark}\n${text.replace(/\n+$/, "")}\n${mark}`
}

const prefixed = (text: string, first: string, rest: string): string =>
  text
    .split("\n")
    .map((line, index) => (index === 0 ? first : line === "" ? rest.trimEnd() : rest) + line)
    .join("\n")
