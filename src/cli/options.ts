import { Command, InvalidArgumentError } from 'commander'
import { isHoldfastError } from '../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../model/keys.ts'
import { parseDuration } from '../model/units.ts'

/** What every command takes. */
export interface CommandOptions {
  data?: string
  config?: string
  store?: string
  json?: true
}

/** A command, with examples at the end of its help. */
export function command(name: string, description: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', ['', 'Examples:', ...examples.map((example) => `  $ ${example}`)].join('\n'))
}

/** What every command can be told; last in its help, since its own options matter more. */
export function addSameOptions(each: Command): void {
  each
    .option('--data <dir>', 'the data directory (default: ./.holdfast)')
    .option('--store <url>', 'a store in PostgreSQL, in place of the one in the data directory')
    .option('--config <file>', 'the configuration (default: ./holdfast.json5, when there is one)')
    .option('--json', 'print JSON')
}

const ownPlaces = new WeakSet<Command>()

/** Its arguments say which stores it works on, so that the options which say that are not for it. */
export function namesItsStores(each: Command): Command {
  ownPlaces.add(each)
  return each.option('--json', 'print JSON')
}

export function takesSameOptions(each: Command): boolean {
  return each.commands.length === 0 && !ownPlaces.has(each)
}

/** A command that only holds others. */
export function group(name: string, description: string, members: readonly Command[]): Command {
  const made = new Command(name).description(description).helpCommand(false)
  for (const member of members) made.addCommand(member)
  return made
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text) || text === '0') throw new InvalidArgumentError('It must be a whole number from 1.')
  return Number(text)
}

/** A whole number from 1 to the greatest that makes sense. */
export const wholeNumberTo =
  (max: number) =>
  (text: string): number => {
    const number = wholeNumber(text)
    if (number > max) throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`)
    return number
  }

/** `5s`, `1m`: milliseconds. */
export function durationArgument(text: string): number {
  try {
    const ms = parseDuration(text)
    if (ms > 0) return ms
  } catch (error) {
    if (!isHoldfastError(error, 'CONFIG_INVALID')) throw error
  }
  throw new InvalidArgumentError('It must be a duration such as 500ms, 2s or 5m.')
}

export function sessionKeyArgument(text: string): SessionKey {
  try {
    return parseSessionKey(text)
  } catch (error) {
    if (!isHoldfastError(error, 'SESSION_KEY_INVALID')) throw error
    throw new InvalidArgumentError(`${error.message}. ${error.fix}`)
  }
}
