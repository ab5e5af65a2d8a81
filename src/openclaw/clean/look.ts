import type { Run } from '../changes/begin.ts'
import { unsettledRuns } from '../changes/settle/settle.ts'
import type { Home } from '../home/home.ts'
import type { HomeFacts } from '../survey/facts.ts'
import { type SurveyOutside, survey } from '../survey/survey.ts'
import { withoutOwnLocks } from './claims.ts'

/**
 * What a run on a home begins with: a run that was killed before is brought to an end, and then the home is looked at, without what killed
 * runs of ours have left in it. `run` null: it is only looked at, and nothing is changed. @throws HoldfastError as `Run.hold`
 */
export async function lookBefore(
  home: Home,
  run: Run | null,
  outside: Omit<SurveyOutside, 'nowMs' | 'told'> & { clock: { nowMs(): number } },
): Promise<HomeFacts> {
  if (run !== null && (await unsettledRuns(home.dir)).length > 0) await run.hold()
  const { readProcesses, temporary, clock } = outside
  const found = await survey(home, 'shallow', { readProcesses, temporary, nowMs: () => clock.nowMs() })
  return await withoutOwnLocks(found, run !== null)
}
