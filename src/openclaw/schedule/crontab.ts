/** Our lines stand between these two; everything else in a crontab is somebody else's. */
export const blockBegin =
  '# >>> holdfast: written by `holdfast install --cron`, taken out by `holdfast uninstall --cron`'
export const blockEnd = '# <<< holdfast'

/** One line is enough: what is due is known from what the keeper wrote down when it last ran. */
export function crontabLines(command: string[]): string[] {
  return [blockBegin, `*/5 * * * * ${command.map(cronWord).join(' ')} >/dev/null 2>&1`, blockEnd]
}

/**
 * A crontab with our lines in it once, at the place where they stood or at the end; with `lines` null without them. The rest keeps
 * every byte. A begin without an end is not ours to judge: null.
 */
export function withBlock(crontab: string, lines: string[] | null): string | null {
  const all = crontab === '' ? [] : crontab.replace(/\n$/, '').split('\n')
  const begins = all.flatMap((line, index) => (line === blockBegin ? [index] : []))
  const ends = all.flatMap((line, index) => (line === blockEnd ? [index] : []))
  if (begins.length > 1 || begins.length !== ends.length) return null
  const [begin] = begins
  const [end] = ends
  if (begin === undefined || end === undefined) return text([...all, ...(lines ?? [])])
  if (end < begin) return null
  return text([...all.slice(0, begin), ...(lines ?? []), ...all.slice(end + 1)])
}

/** Our lines as they stand in a crontab; null where there are none. */
export function blockIn(crontab: string): string[] | null {
  const all = crontab.split('\n')
  const begin = all.indexOf(blockBegin)
  const end = all.indexOf(blockEnd)
  return begin === -1 || end < begin ? null : all.slice(begin, end + 1)
}

function text(lines: string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** One word for the shell that cron starts. A bare `%` would end the command (crontab(5)). */
export function cronWord(word: string): string {
  const quoted = /^[\w@+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  return quoted.replaceAll('%', '\\%')
}
