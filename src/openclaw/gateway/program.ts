import type { ProcessFacts } from '../../host/processes.ts'

/**
 * What a process is by its command line. `gateway`: it serves a home; `openclaw`: it is one of its commands, or a gateway that does not
 * say so (to 2026.6 a running gateway's title is `openclaw` and nothing else; from 2026.7 it is `openclaw-gateway`).
 */
export type Program = 'gateway' | 'openclaw' | 'other'

/** The name now, and those that it had before. */
const named = /^(?:openclaw|clawdbot|moltbot)$/
const entries =
  /(?:^|\/)(?:openclaw\.mjs|dist\/index\.js|dist\/entry\.js|scripts\/run-node\.mjs|src\/entry\.ts|src\/index\.ts)$/
/** This program. */
const ours = /(?:^|\/)(?:holdfast(?:\.mjs)?|cli\/main\.[jt]s)$/
const entriesOfItsOwn = /(?:^|\/)(?:openclaw\.mjs|(?:openclaw|clawdbot|moltbot)\/dist\/(?:index|entry)\.js)$/

export function programOf({ argv, kernel }: Pick<ProcessFacts, 'argv' | 'kernel'>): Program {
  const words = argv.map((word) => word.trim().replaceAll('\\', '/').toLowerCase()).filter((word) => word !== '')
  const program = lastOf(words[0] ?? '').replace(/\.(?:exe|cmd|bat)$/, '')
  if (kernel) return 'other'
  if (/^(?:openclaw|clawdbot|moltbot)-gateway$/.test(program)) return 'gateway'
  if (/^(?:openclaw|clawdbot|moltbot)-[a-z-]+$/.test(program)) return 'openclaw'
  if (!named.test(program) && !isRuntime(program)) return 'other' // one that starts it: sudo, npm, unshare
  if (words.slice(0, 8).some((word) => ours.test(word))) return 'other' // it may have been told where the command is
  const own = words.findIndex(
    (word) => entriesOfItsOwn.test(word) || named.test(lastOf(word).replace(/\.(?:exe|cmd)$/, '')),
  )
  if (own >= 0) return serves(words.slice(own + 1)) ? 'gateway' : 'openclaw'
  const any = words.findIndex((word) => entries.test(word))
  if (any >= 0 && serves(words.slice(any + 1))) return 'gateway'
  return 'other'
}

/** Programs under which a gateway runs. `MainThread` is what Node 24 calls itself. */
export function isRuntime(name: string): boolean {
  return /^(?:node|nodejs|bun|deno|MainThread)(?:[\d.-]|$)/.test(name)
}

/** `[options] gateway [run] [options]`: every other word after `gateway` asks a gateway for something. */
function serves(words: readonly string[]): boolean {
  const at = words.indexOf('gateway')
  const isOption = (word: string | undefined) => word?.startsWith('-') === true
  if (at < 0 || !words.slice(0, at).every((word, index) => isOption(word) || isOption(words[index - 1]))) return false
  const next = words[at + 1]
  return next === undefined || next === 'run' || isOption(next)
}

/** What it is called among people, at most so long. Words that follow `--token` and the like are left out. */
export function commandOf({ argv, name }: Pick<ProcessFacts, 'argv' | 'name'>, charactersMax = 120): string {
  const words = argv.map((word, at) => (secret.test(argv[at - 1] ?? '') ? '…' : word.replace(secretWithin, '$1=…')))
  const text = words.join(' ').trim() || name || 'without a name'
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text
}

const secret = /^--?[\w-]*(?:token|password|secret|key)$/i
const secretWithin = /^(--?[\w-]*(?:token|password|secret|key))=.*$/is

function lastOf(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1)
}
