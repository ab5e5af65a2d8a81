/**
 * People's words can hold escape sequences that move the cursor, retitle the window or answer on the reader's behalf, and
 * direction marks that reorder what is read (CVE-2021-42574). On a terminal they are shown as symbols instead.
 */
export function visibleText(text: string): string {
  return text.replace(unsafe, symbolOf)
}

/** For one line or one cell: line breaks and tabs are shown as spaces as well. */
export function visibleLine(text: string): string {
  return visibleText(text.replace(/\s+/g, ' ').trim())
}

/** Controls other than line feed and tab; C1 controls; bidirectional embeddings, overrides and isolates. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

function symbolOf(found: string): string {
  const code = found.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code) // the Unicode block "Control Pictures"
  if (code === 0x7f) return '\u2421'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}
