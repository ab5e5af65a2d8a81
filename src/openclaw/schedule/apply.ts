import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { RunWords } from '../../host/commands.ts'
import { isSystemError, makeDirectory, namesIn, readTextIfPresent, removeFileIfPresent } from '../../host/files.ts'
import { randomId } from '../../host/random.ts'
import { replaceFile } from '../../host/replace-file.ts'
import { HoldfastError } from '../../model/errors.ts'
import { blockIn, withBlock } from './crontab.ts'
import { hookName, type ScheduledFile, type SchedulePlan } from './plan.ts'

export interface ScheduleReport {
  /** Everything was there already. */
  unchanged: boolean
  written: string[]
  removed: string[]
  /** The crontab has our lines now, or has them no more. */
  crontab: 'installed' | 'removed' | null
  /** What did not work and was not needed for the rest. */
  remarks: string[]
}

/**
 * Afterwards the files and our lines of the crontab are there once, and the system says that the schedule is in force. When a step fails,
 * what was written is as it was before. @throws HoldfastError SCHEDULE_FAILED
 */
export async function installSchedule(plan: SchedulePlan, run: RunWords): Promise<ScheduleReport> {
  const crontab = plan.crontab === null ? null : await readCrontab(run)
  const before = plan.files.map(({ path }) => ({ path, text: readForeignOrOurs(path) }))
  const wanted = plan.crontab === null || crontab === null ? null : mergedCrontab(crontab, plan.crontab)
  const sameFiles = before.every(({ text }, index) => text === plan.files[index]?.text)
  const inForce = sameFiles && crontab === wanted && (plan.check === null || (await run(plan.check)).code === 0)
  const report: ScheduleReport = { unchanged: inForce, written: [], removed: [], crontab: null, remarks: [] }
  if (inForce) return report
  try {
    for (const file of plan.files) write(file)
    if (wanted !== null && wanted !== crontab) await writeCrontab(wanted, run)
    for (const words of plan.activate) await mustRun(words, run)
    await verify(plan, run)
  } catch (error) {
    for (const { path, text } of before) {
      if (text === null) removeFileIfPresent(path)
      else write({ path, text })
    }
    if (crontab !== null && wanted !== crontab) await writeCrontab(crontab, run)
    for (const words of plan.afterwards) await run(words)
    throw error
  }
  return {
    ...report,
    written: plan.files.map(({ path }) => path),
    crontab: wanted === null ? null : 'installed',
  }
}

/** Afterwards nothing of it is there. Files under our names that we did not write are left. @throws HoldfastError SCHEDULE_FAILED */
export async function removeSchedule(plan: SchedulePlan, run: RunWords): Promise<ScheduleReport> {
  const report: ScheduleReport = { unchanged: true, written: [], removed: [], crontab: null, remarks: [] }
  const present = plan.files.filter(({ path }) => readForeignOrOurs(path) !== null)
  if (present.length > 0) {
    for (const words of plan.deactivate) {
      const { code, stderr } = await run(words)
      if (code !== 0) report.remarks.push(`${words.join(' ')}: ${lastLine(stderr) || `exit code ${code}`}`)
    }
    for (const { path } of present) removeFileIfPresent(path)
    report.removed = present.map(({ path }) => path)
    for (const words of plan.afterwards) await run(words)
  }
  if (plan.crontab !== null) {
    const crontab = await readCrontab(run)
    if (blockIn(crontab) !== null) {
      await writeCrontab(mergedCrontab(crontab, null), run)
      report.crontab = 'removed'
    }
  }
  return { ...report, unchanged: report.removed.length === 0 && report.crontab === null }
}

/** Drop-ins of ours beside the units of others, whichever gateway they were written for. */
export function installedHooks(folder: string): ScheduledFile[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.service.d'))
    .map((name) => join(folder, name, hookName))
    .flatMap((path) => {
      const text = readTextIfPresent(path)
      return text !== null && signature.test(text.slice(0, signatureWithin)) ? [{ path, text }] : []
    })
}

async function verify(plan: SchedulePlan, run: RunWords): Promise<void> {
  for (const { path, text } of plan.files) {
    if (readTextIfPresent(path) !== text) throw failed(`${path} is not what was written`)
  }
  if (plan.crontab !== null) {
    const found = blockIn(await readCrontab(run))
    if (found?.join('\n') !== plan.crontab.join('\n'))
      throw failed('the crontab does not hold the lines that were written')
  }
  if (plan.check !== null) await mustRun(plan.check, run)
}

const signature = /Written by (`holdfast install|Holdfast's install)/
/** It stands at the head. Unit: characters. */
const signatureWithin = 1_000

/** @throws HoldfastError SCHEDULE_FAILED where somebody else's file has our name */
function readForeignOrOurs(path: string): string | null {
  const text = readTextIfPresent(path)
  if (text !== null && !signature.test(text.slice(0, signatureWithin)))
    throw failed(`${path} was not written by Holdfast; move it away first`)
  return text
}

function write({ path, text }: ScheduledFile): void {
  try {
    makeDirectory(dirname(path))
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw failed(`${dirname(path)} cannot be made (${error.code})`)
  }
  if (!replaceFile(path, text)) throw failed(`${path} cannot be written`)
}

/** An empty one where the user has none. */
async function readCrontab(run: RunWords): Promise<string> {
  const { code, stdout, stderr } = await run(['crontab', '-l'])
  if (code === 0) return stdout
  if (/no crontab for/i.test(stderr)) return ''
  throw failed(`crontab -l: ${lastLine(stderr) || 'it could not be started; is cron installed?'}`)
}

/** By a file, so that nothing is lost between two programs. */
async function writeCrontab(text: string, run: RunWords): Promise<void> {
  const path = join(tmpdir(), `holdfast-crontab-${randomId()}`)
  if (!replaceFile(path, text)) throw failed(`${path} cannot be written`)
  try {
    await mustRun(['crontab', path], run)
  } finally {
    removeFileIfPresent(path)
  }
}

function mergedCrontab(crontab: string, lines: string[] | null): string {
  const merged = withBlock(crontab, lines)
  if (merged !== null) return merged
  throw failed('the marks of Holdfast in the crontab do not pair up; put them right with `crontab -e`')
}

async function mustRun(words: string[], run: RunWords): Promise<void> {
  const { code, stderr } = await run(words)
  if (code !== 0)
    throw failed(`${words.join(' ')}: ${lastLine(stderr) || `exit code ${code ?? 'none, it could not be run'}`}`)
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

function failed(because: string): HoldfastError {
  return new HoldfastError('SCHEDULE_FAILED', { because })
}
