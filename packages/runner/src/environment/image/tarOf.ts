const block = 512

const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`

/** An archive with one file in it, as everything that reads tar understands it. */
export const tarOf = (name: string, content: Uint8Array): Buffer => {
  const header = Buffer.alloc(block)
  header.write(name, 0, 100)
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(content.length, 12), 124)
  header.write(octal(0, 12), 136)
  // The sum counts itself as spaces.
  header.write(" ".repeat(8), 148)
  header.write("0", 156)
  header.write("ustar\0" + "00", 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  const padding = Buffer.alloc((block - (content.length % block)) % block)
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * block)])
}
