/** Words of others with a full stop at their end. */
export const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
