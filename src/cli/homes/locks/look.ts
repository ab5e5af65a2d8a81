import { join } from 'node:path'
import { isInside } from '../../../openclaw/files/place.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import { type SurveyedLocks, surveyLocks } from '../../../openclaw/survey/locks.ts'
import { visibleLine } from '../../print/visible.ts'
import type { Terminal } from '../../terminal.ts'
import { outsideFor } from '../ground.ts'

/** The locks of one home as they are now. */
export async function lookAtLocksOf(home: Home, busy: boolean, terminal: Terminal): Promise<SurveyedLocks> {
  const { clock } = terminal.outside
  const found = await surveyLocks(home, busy, {
    ...outsideFor(home, terminal),
    steadyMs: () => clock.steadyMs(),
    sleep: (ms) => clock.sleep(ms),
  })
  const unreadable = [
    ...home.unreadable.filter(({ path }) => isInside(join(home.dir, 'agents'), path)),
    ...found.unreadable,
  ]
  return { ...found, unreadable }
}

/** Where it could not be looked there may be locks as well: the command has failed, and people are told. */
export function tellUnreadable({ unreadable }: SurveyedLocks, terminal: Terminal): void {
  for (const { path, because } of unreadable)
    terminal.note(visibleLine(`holdfast: ${path} cannot be looked at: ${because}`))
  if (unreadable.length > 0) terminal.exitCode = 1
}
