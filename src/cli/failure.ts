import { CommanderError } from 'commander'
import { errorCatalog, HoldfastError, isHoldfastError, recordOf } from '../model/errors.ts'
import { exitCodes, type Outside } from './outside.ts'
import { visibleText } from './print/visible.ts'
import { moment } from './print/words.ts'

/** Errors that the command line itself made. */
const usageCodes = new Set<string>(['USAGE', 'SESSION_KEY_INVALID'])

/** What the program ends with after this error. */
export function exitCodeOf(error: unknown): number {
  return isHoldfastError(error) && usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed
}

/**
 * `holdfast: <title>: <because>` and `fix: …` on stderr, or the same as JSON. A stack trace is printed only for what nobody
 * expected, and only when `withStack` asks for it. `command` is the one whose help tells how to do it right.
 */
export function printFailure(
  error: unknown,
  outside: Outside,
  form: { json?: boolean; withStack?: boolean; command?: string } = {},
): void {
  const { code, message, facts } = recordOf(error)
  const command = facts.command ?? form.command
  const fix = code === 'USAGE' && command !== undefined ? `See \`${command} --help\`.` : errorCatalog[code].fix
  if (form.json === true) {
    outside.stderr.write(`${JSON.stringify({ error: { code, message, fix, facts } })}\n`)
    return
  }
  outside.stderr.write(visibleText(`holdfast: ${message}${detailOf(error)}\nfix: ${fix}\n`))
  if (form.withStack === true && code === 'INTERNAL' && error instanceof Error) {
    outside.stderr.write(`${error.stack}\n`)
  }
}

/** What the message leaves to the facts. */
function detailOf(error: unknown): string {
  if (!isHoldfastError(error)) return error instanceof Error ? `: ${error.message}` : ''
  const { pid, sinceMs, address, because, directory } = error.facts
  if (because !== undefined) return ''
  if (typeof pid !== 'number') return typeof directory === 'string' ? `: ${directory}` : ''
  const since = typeof sinceMs === 'number' ? `, since ${moment(sinceMs)}` : ''
  return `: process ${pid}${since}${typeof address === 'string' ? `, at ${address}` : ''}`
}

/** The command line asked for help, or named a group of commands only: nothing is left to say. */
export function isHelp(error: unknown): error is CommanderError {
  return error instanceof CommanderError && helpCodes.has(error.code)
}

const helpCodes = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version'])

/** What commander found wrong with the command line, as an error of ours that names the command. */
export function usageErrorOf(error: CommanderError, commandName: string): HoldfastError {
  const because = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  return new HoldfastError('USAGE', { because, command: commandName }, { cause: error })
}
