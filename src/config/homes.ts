import { z } from 'zod'
import { readSchedule } from '../cron/schedule.ts'
import { HoldfastError, isHoldfastError } from '../model/errors.ts'
import { parseDuration } from '../model/units.ts'
import { defaultHomePolicy, type HomePolicy } from '../openclaw/home/policy.ts'
import type { Pace, Paces } from '../openclaw/keep/due.ts'
import {
  choice,
  duration,
  listOfWords,
  orNever,
  section,
  share,
  size,
  spellDuration,
  spellSize,
  timeZone,
  variableName,
  webAddress,
  wholeNumber,
  yesOrNo,
} from './leaves.ts'

const usual = defaultHomePolicy
const secondMs = 1_000
const countMax = 1_000_000_000
const statusPort = 4748
/** A keeper that looks more often does little else. */
const paceMinMs = secondMs
const silence = 'Where `openclaw.json` sets it, that holds.'

const orNone = (ms: number | null) => (ms === null ? (false as const) : spellDuration(ms))
const orNoSize = (bytes: number | null) => (bytes === null ? (false as const) : spellSize(bytes))

/** A duration, or a cron expression. Checked in full here; its zone is put in by {@link pacesOf}. */
const pace = () => {
  const error = 'a duration such as "5m", or a cron expression such as "17 4 * * *"'
  return z
    .string({ error })
    .transform((text, context): { everyMs: number } | { expression: string } => {
      const found = paceOrNull(text)
      if (found !== null) return found
      context.addIssue({ code: 'custom', message: error })
      return z.NEVER
    })
    .meta({ examples: ['5m', '17 4 * * *'] })
}

function paceOrNull(text: string): { everyMs: number } | { expression: string } | null {
  const isExpression = /[\s@]/.test(text.trim())
  try {
    if (isExpression) return readSchedule(text, 'UTC').after(0) === null ? null : { expression: text.trim() }
    const everyMs = parseDuration(text)
    return everyMs >= paceMinMs ? { everyMs } : null
  } catch (error) {
    if (isHoldfastError(error, 'CONFIG_INVALID') || isHoldfastError(error, 'JOB_INVALID')) return null
    throw error
  }
}

const policy = {
  mode: choice(['off', 'warn', 'enforce'])
    .prefault(usual.mode)
    .describe(`\`warn\`: what would be done is told, and not done. ${silence}`),
  idle: duration(1)
    .prefault(spellDuration(usual.transcriptIdleMs))
    .describe(`A session that nobody used for this long is archived. ${silence}`),
  bindings: duration(1)
    .prefault(spellDuration(usual.bindingIdleMs))
    .describe(`Entries without a transcript, or that cannot be resumed, go after this. ${silence}`),
  entries: wholeNumber(1, countMax)
    .prefault(usual.entriesMax)
    .describe(`Most entries of one agent's index. ${silence}`),
  cronRuns: orNever(duration(1))
    .prefault(orNone(usual.cronRunMs))
    .describe(`Sessions of cron runs go after this. ${silence}`),
  leftovers: duration(0)
    .prefault(spellDuration(usual.leftoverMs))
    .describe('`.deleted.`, `.bak`, `.corrupt`, checkpoints and trajectories are archived after this.'),
  resets: orNever(duration(0))
    .prefault(orNone(usual.resetMs))
    .describe(`\`.reset.\` files are archived after this. ${silence}`),
  recent: duration(0).prefault(spellDuration(usual.recentMs)).describe('What was touched within this is left alone.'),
  index: section({
    rotateAt: size(1024)
      .prefault(spellSize(usual.indexRotateBytes))
      .describe(`An index over this is copied beside itself and written anew. ${silence}`),
    copies: wholeNumber(0, 1_000).prefault(usual.indexBackupsKept).describe('Such copies that are kept.'),
  })
    .prefault({})
    .describe('The index of the sessions.'),
  archives: section({
    age: orNever(duration(1))
      .prefault(orNone(usual.archiveMs))
      .describe('Archives of errands and leftovers are deleted after this. What people said is kept.'),
    bytes: orNever(size(1))
      .prefault(orNoSize(usual.archiveBytesMax))
      .describe('Above this the oldest are deleted, what people said last.'),
  })
    .prefault({})
    .describe('What cleaning has taken out, in `holdfast/archives/` of the home.'),
  disk: section({
    budget: orNever(size(1))
      .prefault(orNoSize(usual.diskBudget?.maxBytes ?? null))
      .describe(`All files of one agent's sessions. ${silence}`),
    low: share().prefault(0.8).describe('Share of the budget at which cleaning for it ends.'),
  })
    .prefault({})
    .describe('A disk budget.'),
  resumes: section({
    sessions: wholeNumber(0, 1_000_000)
      .prefault(usual.resumesMax)
      .describe('How many sessions of one agent a start may resume.'),
    age: duration(0).prefault(spellDuration(usual.resumeAgeMs)).describe('Nothing older is resumed.'),
  })
    .prefault({})
    .describe('What `holdfast prestart` lets a starting gateway resume.'),
}

export const homesSection = section({
  dirs: listOfWords('a directory')
    .prefault([])
    .describe('The homes, relative to where `keep` is started. None: all that are found.'),
  docker: yesOrNo().prefault(false).describe('Also those in mounts of running containers.'),
  ...policy,
  keep: section({
    locks: pace().prefault('5m').describe('How often locks are looked at: a duration, or a cron expression.'),
    clean: pace().prefault('6h').describe('How often homes are cleaned.'),
    archives: pace().prefault('17 4 * * *').describe('When old archives are deleted.'),
    timeZone: timeZone().prefault('UTC').describe('Of the cron expressions.'),
  })
    .prefault({})
    .describe('When `holdfast keep` does what.'),
  alerts: section({
    webhook: webAddress().nullable().prefault(null).describe('Gets a POST with each alert as JSON.'),
    webhookEnv: variableName()
      .nullable()
      .prefault(null)
      .describe('The environment variable that holds that address, where it is a secret.'),
    command: listOfWords('a word of a command')
      .prefault([])
      .describe('A program and its arguments, run with each alert as JSON in `HOLDFAST_ALERT`.'),
  })
    .prefault({})
    .describe('Who is told besides the log.'),
  status: section({
    port: orNever(wholeNumber(0, 65_535))
      .prefault(statusPort)
      .describe('The port on loopback for its status and `/metrics`; 0 takes a free one, false is none.'),
  })
    .prefault({})
    .describe('What the keeper shows of itself.'),
})

export type HomesValues = z.output<typeof homesSection>

/** The defaults of `holdfast clean`, `prestart` and `keep`, under the rules of each home. */
export function homePolicyOf(homes: HomesValues): HomePolicy {
  const { index, archives, disk, resumes } = homes
  const set: HomePolicy = {
    ...usual,
    mode: homes.mode,
    transcriptIdleMs: homes.idle,
    bindingIdleMs: homes.bindings,
    entriesMax: homes.entries,
    cronRunMs: homes.cronRuns,
    leftoverMs: homes.leftovers,
    resetMs: homes.resets,
    recentMs: homes.recent,
    indexRotateBytes: index.rotateAt,
    indexBackupsKept: index.copies,
    archiveMs: archives.age,
    archiveBytesMax: archives.bytes,
    diskBudget: disk.budget === null ? null : { maxBytes: disk.budget, lowBytes: Math.floor(disk.budget * disk.low) },
    resumesMax: resumes.sessions,
    resumeAgeMs: resumes.age,
  }
  const names = Object.keys(usual).filter((name): name is Exclude<keyof HomePolicy, 'sources'> => name !== 'sources')
  const changed = names.filter((name) => JSON.stringify(set[name]) !== JSON.stringify(usual[name]))
  return { ...set, sources: Object.fromEntries(changed.map((name) => [name, 'holdfast.json5'])) }
}

/** When the keeper does what. */
export function pacesOf({ keep }: HomesValues): Paces {
  const paceOf = (found: HomesValues['keep']['locks']): Pace =>
    'everyMs' in found ? found : { schedule: readSchedule(found.expression, keep.timeZone) }
  return { locks: paceOf(keep.locks), clean: paceOf(keep.clean), archives: paceOf(keep.archives) }
}

/** @throws HoldfastError CONFIG_INVALID when the variable that is named does not hold an address */
export function webhookOf({ alerts }: HomesValues, env: Readonly<Record<string, string | undefined>>): string | null {
  if (alerts.webhookEnv === null) return alerts.webhook
  const found = webAddress().safeParse(env[alerts.webhookEnv])
  if (found.success) return found.data
  throw new HoldfastError('CONFIG_INVALID', {
    because: `homes.alerts.webhookEnv: ${alerts.webhookEnv} holds no address`,
  })
}
