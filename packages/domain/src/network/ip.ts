const byte = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const four = new RegExp(`^${byte}(?:\\.${byte}){3}$`)

/** Whether this is an IPv4 address in four decimals. */
export const isIPv4 = (text: string): boolean => four.test(text)

/** Whether this is an IPv6 address, without brackets and without a zone. */
export const isIPv6 = (text: string): boolean =>
  text.includes(":") && /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`)
