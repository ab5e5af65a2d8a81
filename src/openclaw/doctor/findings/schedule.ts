import { formatCount } from '../../../model/units.ts'
import type { ScheduledCommand } from '../../survey/around.ts'
import { type Finding, finding, listOf, type Seen } from '../finding.ts'

/** Whether something looks after this home by itself, and whether it can. */
export function findSchedule(seen: Seen): Finding[] {
  const { home } = seen.facts
  const { entries, unreadable } = seen.around.schedule
  const ours = entries.filter(({ homes }) => homes.length === 0 || homes.includes(home.dir))
  const broken = ours.filter(({ missingProgram, active }) => missingProgram !== null || active === false)
  const silent = ours.filter(({ log }) => log !== null && !log.writable)
  const astray = ours.length === 0 ? entries.filter(({ missingHomes }) => missingHomes.length > 0) : []
  const isAbsent = ours.length === 0 && astray.length === 0 && unreadable.length === 0
  return [
    ...finding(seen, 'SCHEDULE_ABSENT', {
      evidence:
        entries.length === 0
          ? 'Neither systemd, cron nor launchd starts Holdfast.'
          : 'What is installed names other homes, and not this one.',
      items: isAbsent ? [home] : [],
    }),
    ...finding(seen, 'SCHEDULE_ELSEWHERE', {
      evidence: `${formatCount(astray.length, 'schedule')}; none looks after this home.`,
      items: astray,
      fix: again(astray),
      example: ({ path, missingHomes }) => ({ path, says: `names ${listOf(missingHomes)}` }),
    }),
    ...finding(seen, 'SCHEDULE_BROKEN', {
      evidence: `${listOf(broken.map(becauseOf))}.`,
      items: broken,
      fix: again(broken),
      example: (entry) => ({ path: entry.path, says: becauseOf(entry) }),
    }),
    ...finding(seen, 'SCHEDULE_LOG', {
      evidence: `${formatCount(silent.length, 'schedule')}.`,
      items: silent,
      fix: again(silent),
      example: ({ path, log }) => ({ path: log?.path ?? path, says: `named by ${path}` }),
    }),
    ...finding(seen, 'SCHEDULE_UNKNOWN', {
      evidence: `${formatCount(unreadable.length, 'place')}.`,
      items: unreadable,
      example: ({ path, because }) => ({ path, says: because }),
    }),
  ]
}

/** Written anew in the way in which the first of them is. */
function again([first]: ScheduledCommand[]): string {
  return `holdfast install --${first?.kind ?? 'systemd'}`
}

function becauseOf({ kind, command, missingProgram }: ScheduledCommand): string {
  if (missingProgram !== null) return `${kind} starts ${missingProgram}, which is not there`
  return `${kind} has \`holdfast ${command}\` and does not start it`
}
