import { z } from 'zod'
import { resetModes } from '../cron/reset.ts'
import { defaultSettings } from '../engine/settings.ts'
import { type SessionKind, sessionKinds } from '../model/keys.ts'
import type { LaneName } from '../model/lanes.ts'
import { retentionEnds, retentionModes, sweepEveryMinMs } from '../retention/policy.ts'
import {
  choice,
  duration,
  orNever,
  section,
  size,
  spellDuration,
  spellSize,
  timeZone,
  wholeNumber,
  yesOrNo,
} from './leaves.ts'

const { lanes, recovery, retention, sessions, cron, watch } = defaultSettings
const secondMs = 1_000
const countMax = 1_000_000_000
/** Of one lane. A number alone is its concurrency. */
const lane = (name: LaneName, what: string) => {
  const { concurrency, patienceMs, waitLimitMs } = lanes.lanes[name]
  return section({
    concurrency: wholeNumber(1, 10_000).prefault(concurrency).describe('Turns that run at once.'),
    patience: duration(0)
      .prefault(spellDuration(patienceMs))
      .describe('How long a waiting turn lets those of lanes with less patience go first.'),
    waitLimit: duration(1).prefault(spellDuration(waitLimitMs)).describe('A wait longer than this is reported, once.'),
  })
    .prefault({})
    .describe(what)
}
const shareOrAll = 'a number above 0, at most 1, such as 0.5'
const shareOrWhole = () => z.number({ error: shareOrAll }).gt(0, { error: shareOrAll }).max(1, { error: shareOrAll })
const orNoSize = (bytes: number | null) => (bytes === null ? (false as const) : spellSize(bytes))
const orNone = (ms: number | null) => (ms === null ? (false as const) : spellDuration(ms))
const limits = (kind: SessionKind) => {
  const usual = retention.kinds[kind]
  return section({
    idle: orNever(duration(1)).prefault(orNone(usual.idleMaxMs)).describe('Since the last activity.'),
    age: orNever(duration(1)).prefault(orNone(usual.ageMaxMs)).describe('Since the session was made.'),
    sessions: orNever(wholeNumber(0, countMax))
      .prefault(usual.sessionsMax ?? false)
      .describe('How many there may be.'),
    entries: orNever(wholeNumber(0, countMax))
      .prefault(usual.entriesMax ?? false)
      .describe('Entries in all of them.'),
    bytes: orNever(size(0)).prefault(orNoSize(usual.bytesMax)).describe('Bytes of all their bodies.'),
    earlier: orNever(duration(1))
      .prefault(orNone(usual.earlierMaxMs))
      .describe('Transcripts that a reset has ended, since that reset.'),
    end: choice(retentionEnds).prefault(usual.end).describe('Where what goes goes.'),
  })
    .prefault({})
    .describe(`Sessions of the kind ${kind}. \`false\`: no limit. The least recently active go first.`)
}

/** What bounds waits, restarts and growth. */
export const upkeepSections = {
  lanes: section({
    slots: wholeNumber(1, 100_000).prefault(lanes.slots).describe('Turns that run at once, over all lanes.'),
    userSlots: wholeNumber(0, 100_000)
      .prefault(lanes.userSlots)
      .describe('Of these, how many only the lane `main` may take.'),
    sourceShare: shareOrWhole()
      .prefault(lanes.sourceShare)
      .describe('Share of a lane that one source may hold; at least one slot.'),
    main: lane('main', 'Messages of people.'),
    subagent: lane('subagent', 'Turns of sub-agents.'),
    cron: lane('cron', 'Turns of scheduled jobs.'),
    resume: lane('resume', 'Turns that run again after a restart.'),
    background: lane('background', 'Everything that nobody waits for.'),
  })
    .prefault({})
    .describe('Which turns run at once, and who goes first.'),
  sessions: section({
    reset: section({
      mode: choice(resetModes)
        .prefault(sessions.reset.mode)
        .describe('When the next message begins a new transcript: never, once a day, or after a pause.'),
      atHour: wholeNumber(0, 23).prefault(sessions.reset.atHour).describe('`daily`: at this hour.'),
      timeZone: timeZone().prefault(sessions.reset.timeZone).describe('`daily`: of this time zone.'),
      idle: duration(secondMs).prefault(spellDuration(sessions.reset.idleMs)).describe('`idle`: after so long.'),
    })
      .prefault({})
      .describe('Resets. A reset stands in the session as an event, and the earlier transcript is kept.'),
    bindings: section({
      age: orNever(duration(secondMs))
        .prefault(orNone(sessions.reset.ageMaxMs))
        .describe('A transcript older than this ends with the next message, whatever the mode.'),
      idle: orNever(duration(secondMs))
        .prefault(orNone(sessions.reset.idleMaxMs))
        .describe('A transcript idle for longer than this ends with the next message.'),
    })
      .prefault({})
      .describe('How long a session stays bound to one transcript.'),
    kinds: z
      .array(choice(sessionKinds), { error: 'a list of kinds of session' })
      .prefault([...sessions.resetKinds])
      .describe('The kinds of session that this is for.'),
  })
    .prefault({})
    .describe('When a conversation begins anew.'),
  cron: section({
    enabled: yesOrNo().prefault(cron.enabled).describe('Whether scheduled jobs start.'),
    jobs: wholeNumber(0, 1_000_000).prefault(cron.jobsMax).describe('How many jobs there may be.'),
    missed: wholeNumber(1, 1_000)
      .prefault(cron.missedMax)
      .describe('Runs that the policy `all` makes up for after one gap.'),
    lateMax: duration(secondMs)
      .prefault(spellDuration(cron.lateMaxMs))
      .describe('A run that starts this late was not missed.'),
  })
    .prefault({})
    .describe('Scheduled turns.'),
  recovery: section({
    enabled: yesOrNo().prefault(recovery.enabled).describe('Whether interrupted turns run again.'),
    timeLimit: duration(secondMs).prefault(spellDuration(recovery.timeLimitMs)).describe('For one resumed turn.'),
    ageMax: duration(secondMs)
      .prefault(spellDuration(recovery.ageMaxMs))
      .describe('Nothing older is resumed, counted from its last sign of life.'),
    resumes: wholeNumber(0, 1_000_000)
      .prefault(recovery.resumesMax)
      .describe('Resumes of one start; what is beyond is told to its sender.'),
    crashLoopStarts: wholeNumber(1, 1_000)
      .prefault(recovery.crashLoop.starts)
      .describe('So many starts after an unclean end make a crash loop: nothing is resumed.'),
    crashLoopWithin: duration(secondMs)
      .prefault(spellDuration(recovery.crashLoop.withinMs))
      .describe('Within this time; a process that has lived as long resumes again.'),
  })
    .prefault({})
    .describe('What a start does with what the last one left unfinished.'),
  retention: section({
    mode: choice(retentionModes).prefault(retention.mode).describe('`warn`: what would be done is told, and not done.'),
    every: duration(sweepEveryMinMs).prefault(spellDuration(retention.everyMs)).describe('Between two sweeps.'),
    recent: duration(0)
      .prefault(spellDuration(retention.recentMs))
      .describe('Sessions that were active within this are never touched.'),
    trash: duration(0)
      .prefault(spellDuration(retention.trashMaxMs))
      .describe('What is in the trash longer is deleted for good.'),
    archives: section({
      age: orNever(duration(1)).prefault(orNone(retention.archives.ageMaxMs)).describe('Older ones go to the trash.'),
      bytes: orNever(size(0))
        .prefault(orNoSize(retention.archives.bytesMax))
        .describe('Above this the oldest go to the trash.'),
    })
      .prefault({})
      .describe('Archives in the data directory.'),
    disk: section({
      budget: orNever(size(1))
        .prefault(orNoSize(retention.disk.budgetBytes))
        .describe('Database, archives and trash together.'),
      high: shareOrWhole().prefault(retention.disk.highShare).describe('Share of the budget at which sessions go.'),
      low: shareOrWhole().prefault(retention.disk.lowShare).describe('Share of the budget at which that ends.'),
    })
      .prefault({})
      .describe('A disk budget.'),
    kinds: section({
      main: limits('main'),
      direct: limits('direct'),
      group: limits('group'),
      thread: limits('thread'),
      cron: limits('cron'),
      'cron-run': limits('cron-run'),
      subagent: limits('subagent'),
      heartbeat: limits('heartbeat'),
      hook: limits('hook'),
      other: limits('other'),
    })
      .prefault({})
      .describe('Limits of each kind of session.'),
  })
    .prefault({})
    .describe('What is kept, and how long.'),
  watch: section({
    stuckAfter: duration(secondMs)
      .prefault(spellDuration(watch.stuckAfterMs))
      .describe('A running turn without progress for this long is reported as stuck.'),
    wedgedAfter: duration(secondMs)
      .prefault(spellDuration(watch.wedgedAfterMs))
      .describe('An event loop that has not gone round for this long is reported as wedged.'),
  })
    .prefault({})
    .describe('What is told when nothing moves.'),
}
