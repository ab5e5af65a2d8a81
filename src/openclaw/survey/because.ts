import { isHoldfastError } from '../../model/errors.ts'

const lookedFor: readonly string[] = ['HOME_UNREADABLE', 'HOME_UNSAFE', 'HOME_CHANGED']

/** Why something could not be looked at, without the path that is told beside it. What is no answer of the disk is thrown on. */
export function becauseOf(error: unknown, path: string): string {
  if (!isHoldfastError(error) || !lookedFor.includes(error.code)) throw error
  return withoutPath(String(error.facts.because ?? error.message), path)
}

export function withoutPath(because: string, path: string): string {
  return because.startsWith(`${path}: `) ? because.slice(path.length + 2) : because
}
