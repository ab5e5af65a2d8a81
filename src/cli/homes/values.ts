import { InvalidArgumentError } from 'commander'
import { isHoldfastError } from '../../model/errors.ts'
import { parseDuration, parseSize } from '../../model/units.ts'

/** Values of options of commands on homes. */

export function duration(text: string): number {
  return positive(text, parseDuration)
}

export function durationOrNever(text: string): number | null {
  return text === 'never' ? null : duration(text)
}

export function size(text: string): number {
  return positive(text, parseSize)
}

/** From 0. */
export function wholeOrNone(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.')
  return Number(text)
}

function positive(text: string, parse: (text: string) => number): number {
  try {
    const amount = parse(text)
    if (amount > 0) return amount
  } catch (error) {
    if (!isHoldfastError(error, 'CONFIG_INVALID')) throw error
    throw new InvalidArgumentError(`${error.facts.because}.`)
  }
  throw new InvalidArgumentError('It must be above 0.')
}
