import { HoldfastError } from '../../model/errors.ts'
import type { Session } from '../../model/sessions.ts'

/** The transcript that was asked for, else the current one. @throws HoldfastError USAGE when it is not there yet */
export function transcriptOf(session: Session, asked: number | undefined): number {
  if (asked === undefined || asked <= session.transcript) return asked ?? session.transcript
  throw new HoldfastError('USAGE', { because: `the newest transcript of ${session.key} is ${session.transcript}` })
}
