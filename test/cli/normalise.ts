/** Everything in the output that differs from run to run becomes a name in angle brackets; equal values keep equal names.
 * Columns lose their padding where it came from such values. */
export function normalise(text: string, folders: Record<string, string> = {}): string {
  let result = text
  for (const [name, path] of Object.entries(folders)) result = result.replaceAll(path, `<${name}>`)
  return result
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, numbered('id'))
    .replace(/\b[0-9a-f]{64}\b/g, '<sha256>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<time>')
    .replace(/"(\w+Ms)":( ?)\d{10,}/g, '"$1":$2<time>')
    .replace(/"(\w*[dD]urationMs)": [\d.]+/g, '"$1": <duration>')
    .replace(/127\.0\.0\.1:(?!4747\b|11434\b)\d+/g, '127.0.0.1:<port>')
    .replace(/\bprocess \d+ on [\w.-]+/g, 'process <pid> on <host>')
    .replace(/\bprocess \d+\b/g, 'process <pid>')
    .replace(/"pid": \d+/g, '"pid": <pid>')
    .replace(/\b\d+(?:\.\d+)? (?:KB|MB|GB|TB)\b/g, '<size>')
    .replace(/just now|\b\d+(?:ms|s|m \d+s)( ago)?\b/g, (found) => (/ago|now/.test(found) ? '<ago>' : '<duration>'))
    .replace(/ +$/gm, '')
    .replace(/^(?:[A-Z]{2,}|.*<).*$/gm, (line) => line.replace(/(?<=\S) {2,}/g, '  '))
}

function numbered(name: string): (found: string) => string {
  const names = new Map<string, string>()
  return (found) => {
    if (!names.has(found)) names.set(found, `<${name} ${names.size + 1}>`)
    return names.get(found) ?? found
  }
}
