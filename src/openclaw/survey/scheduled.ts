/** What a line of a schedule starts, as far as it is about Holdfast. */
export interface ScheduledWords {
  /** `keep`, `prestart`, `clean`. */
  command: string
  /** Of `--home`, and of OPENCLAW_STATE_DIR in front. As written. */
  homes: string[]
  log: string | null
  /** Absolute paths of what is started: an interpreter, a script. */
  programs: string[]
}

const programName = /(?:^|[/\\])holdfast(?:\.mjs|\.cmd|\.exe)?$/

/** null where the words start something else. */
function scheduledOf(words: readonly string[]): ScheduledWords | null {
  const at = words.findIndex((word) => programName.test(word))
  const command = words[at + 1]
  if (at === -1 || command === undefined || command.startsWith('-')) return null
  const after = words.slice(at + 2)
  const before = words.slice(0, at + 1)
  const stateDirs = before.flatMap((word) => /^OPENCLAW_STATE_DIR=(.+)$/s.exec(word)?.[1] ?? [])
  return {
    command,
    homes: [...stateDirs, ...valuesOf(after, '--home')],
    log: valuesOf(after, '--log')[0] ?? null,
    programs: before.filter((word) => /^(?:\/|[A-Za-z]:\\)/.test(word)),
  }
}

function valuesOf(words: readonly string[], option: string): string[] {
  return words.flatMap((word, at) => {
    if (word.startsWith(`${option}=`)) return word.slice(option.length + 1)
    return word === option ? (words[at + 1] ?? []) : []
  })
}

/** Lines of a crontab that start Holdfast. `withUser`: as in `/etc/crontab`, where a name stands before the command. */
export function scheduledInCrontab(text: string, withUser: boolean): ScheduledWords[] {
  return text.split('\n').flatMap((line) => {
    const trimmed = line.trim()
    if (trimmed.startsWith('#') || !trimmed.includes('holdfast')) return []
    const times = trimmed.startsWith('@') ? 1 : 5
    const fields = new RegExp(`^(?:\\S+\\s+){${times + (withUser ? 1 : 0)}}(.+)$`).exec(trimmed)
    const command = fields?.[1]?.split(/(?<!\\)%/)[0] // what follows a bare % is standard input (crontab(5))
    return command === undefined ? [] : (scheduledOf(shellWords(command.replaceAll('\\%', '%'))) ?? [])
  })
}

/** `ExecStart=` and `ExecStartPre=` of a unit or a drop-in. */
export function scheduledInUnit(text: string): ScheduledWords[] {
  return text
    .replaceAll(/\\\r?\n/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const value = /^\s*Exec(?:Start|StartPre)\s*=\s*[-@:+!]*(.*)$/.exec(line)?.[1]
      if (value === undefined) return []
      return scheduledOf(shellWords(value).map((word) => word.replaceAll('%%', '%').replaceAll('$$', '$'))) ?? []
    })
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** `ProgramArguments` of a launchd agent. */
export function scheduledInPlist(text: string): ScheduledWords[] {
  const list = /<key>ProgramArguments<\/key>\s*<array>(.*?)<\/array>/s.exec(text)?.[1] ?? ''
  const words = [...list.matchAll(/<string>(.*?)<\/string>/gs)].map(([, word = '']) =>
    word.replaceAll(/&(lt|gt|amp|quot|apos);/g, (whole, name: string) => entities[name] ?? whole),
  )
  const found = scheduledOf(words)
  return found === null ? [] : [found]
}

/** Words as a POSIX shell takes them apart, up to the first operator; nothing is expanded. systemd quotes alike. */
export function shellWords(text: string): string[] {
  const words: string[] = []
  let word: string | null = null
  for (const [part, single, double, escaped, space, operator] of text.matchAll(parts)) {
    if (operator !== undefined) break
    if (space !== undefined) {
      if (word !== null) words.push(word)
      word = null
      continue
    }
    word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? part)
  }
  return word === null ? words : [...words, word]
}

const parts = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|(\s+)|([;&|<>]+)|[^'"\\\s;&|<>]+/gs
