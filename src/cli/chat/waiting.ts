import type { WhyReport } from '../../engine/why.ts'
import { isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { visibleLine } from '../print/visible.ts'
import { type Api, sessionPath } from '../reach/api.ts'
import type { Terminal } from '../terminal.ts'
import { causes } from '../watch/why-lines.ts'

/** Most answers have begun by then; who waits longer wants to know for what. */
const lookEveryMs = 3_000

/** Tells what a turn waits for, and again when that changes, until the signal. For a person at a terminal. */
export async function explainWait(
  api: Api,
  key: SessionKey,
  turnId: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { clock, stderr } = terminal.outside
  if (stderr.isTTY !== true) return
  let told = ''
  try {
    for (;;) {
      await clock.sleep(lookEveryMs, signal)
      const report = await api.call<WhyReport>('GET', sessionPath(key, '/why'), undefined, signal)
      const reason = reasonOf(report, turnId)
      if (reason !== null && reason !== told) terminal.note(terminal.paint('dim', `(waiting: ${reason})`))
      told = reason ?? told
    }
  } catch (error) {
    if (!signal.aborted && !isHoldfastError(error)) throw error // the answer itself will tell what is wrong
  }
}

function reasonOf({ running, waiting }: WhyReport, turnId: string): string | null {
  if (running?.turn.id === turnId) return visibleLine(running.lastProgressNote) || 'the turn runs'
  const found = waiting.find((turn) => turn.turnId === turnId)
  return found === undefined ? null : causes[found.cause]
}
