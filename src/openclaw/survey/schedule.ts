import { basename, join, resolve } from 'node:path'
import type { CommandResult, RunCommand } from '../../host/commands.ts'
import { isMissing, isWritable } from '../../host/modes.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { listDirectory } from '../files/list.ts'
import { readSmall } from '../files/text.ts'
import type { ScheduledCommand, ScheduleFacts } from './around.ts'
import { becauseOf } from './because.ts'
import { type ScheduledWords, scheduledInCrontab, scheduledInPlist, scheduledInUnit } from './scheduled.ts'

export interface ScheduleOutside {
  run: RunCommand
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** Of this user; schedules of other users are not seen. Absolute. */
  userHome: string
}

/** What a person would wait for. Unit: ms. */
const timeLimitMs = 3_000
/** No unit is longer. Unit: bytes. */
const textBytesMax = 256 * 1024

/** Everything on this host that starts Holdfast by itself and that this user may see. Nothing is changed. */
export async function readSchedule(outside: ScheduleOutside): Promise<ScheduleFacts> {
  const facts: ScheduleFacts = { entries: [], unreadable: [] }
  await readCrontab(outside, facts)
  if (process.platform === 'linux') {
    const configHome = outside.env.XDG_CONFIG_HOME || join(outside.userHome, '.config')
    await readUnits(join(configHome, 'systemd', 'user'), ['--user'], outside, facts)
    await readUnits('/etc/systemd/system', [], outside, facts)
    await readSystemCrontabs(facts)
  }
  if (process.platform === 'darwin') {
    await readAgents(join(outside.userHome, 'Library', 'LaunchAgents'), outside, facts)
    await readAgents('/Library/LaunchDaemons', outside, facts)
  }
  return facts
}

async function readCrontab(outside: ScheduleOutside, facts: ScheduleFacts): Promise<void> {
  if (process.platform === 'win32') return
  const result = await tryRun('crontab', ['-l'], outside)
  if (result === null || /no crontab for/i.test(result.stderr)) return // no cron here, or nothing in it
  if (result.code !== 0) facts.unreadable.push({ path: 'crontab', because: 'crontab -l failed' })
  else
    for (const words of scheduledInCrontab(result.stdout, false))
      facts.entries.push(commandOf('cron', 'crontab', words))
}

async function readSystemCrontabs(facts: ScheduleFacts): Promise<void> {
  const read = async (folder: string, path: string) => {
    const text = await readText(folder, path, facts)
    for (const words of scheduledInCrontab(text, true)) facts.entries.push(commandOf('cron', path, words))
  }
  await read('/etc', '/etc/crontab')
  for (const name of await namesIn('/etc/cron.d', 'file', facts)) await read('/etc/cron.d', join('/etc/cron.d', name))
}

async function readUnits(
  folder: string,
  scope: string[],
  outside: ScheduleOutside,
  facts: ScheduleFacts,
): Promise<void> {
  for (const name of await namesIn(folder, 'file', facts)) {
    if (!name.endsWith('.service')) continue
    const path = join(folder, name)
    for (const words of scheduledInUnit(await readText(folder, path, facts))) {
      const active = await isEnabled(name, scope, outside)
      facts.entries.push({ ...commandOf('systemd', path, words), active })
    }
  }
  for (const name of await namesIn(folder, 'directory', facts)) {
    if (!name.endsWith('.service.d')) continue
    for (const dropIn of await namesIn(join(folder, name), 'file', facts)) {
      const path = join(folder, name, dropIn)
      if (!dropIn.endsWith('.conf')) continue
      const found = scheduledInUnit(await readText(folder, path, facts))
      facts.entries.push(...found.map((words) => commandOf('systemd', path, words)))
    }
  }
}

/** null where systemd does not answer, as in most containers. */
async function isEnabled(unit: string, scope: string[], outside: ScheduleOutside): Promise<boolean | null> {
  const result = await tryRun('systemctl', [...scope, 'is-enabled', unit], outside)
  const state = result?.stdout.trim() ?? ''
  if (result === null || state === '') return null
  return result.code === 0
}

async function readAgents(folder: string, outside: ScheduleOutside, facts: ScheduleFacts): Promise<void> {
  for (const name of await namesIn(folder, 'file', facts)) {
    if (!name.endsWith('.plist')) continue
    const path = join(folder, name)
    for (const words of scheduledInPlist(await readText(folder, path, facts))) {
      const result = await tryRun('launchctl', ['list', basename(name, '.plist')], outside)
      facts.entries.push({ ...commandOf('launchd', path, words), active: result === null ? null : result.code === 0 })
    }
  }
}

function commandOf(kind: ScheduledCommand['kind'], path: string, words: ScheduledWords): ScheduledCommand {
  const homes = words.homes.map((home) => resolve(home))
  return {
    kind,
    path,
    command: words.command,
    homes,
    missingHomes: homes.filter(isMissing),
    missingProgram: words.programs.find(isMissing) ?? null,
    log: words.log === null ? null : { path: words.log, writable: isWritable(words.log) },
    active: null,
  }
}

async function tryRun(file: string, args: string[], { run, env, cwd }: ScheduleOutside): Promise<CommandResult | null> {
  try {
    return await run(file, args, { timeLimitMs, outputBytesMax: 1024 ** 2, env, cwd })
  } catch (error) {
    if (isHoldfastError(error, 'COMMAND_MISSING')) return null
    throw error
  }
}

/** What cannot be looked at is written down; what is not there has no names. */
async function namesIn(folder: string, what: 'file' | 'directory', facts: ScheduleFacts): Promise<string[]> {
  try {
    const listed = (await listDirectory(folder, folder)) ?? []
    return listed.filter((each) => each.what === what).map(({ name }) => name)
  } catch (error) {
    facts.unreadable.push({ path: folder, because: becauseOf(error, folder) })
    return []
  }
}

async function readText(folder: string, path: string, facts: ScheduleFacts): Promise<string> {
  try {
    return (await readSmall(folder, path, textBytesMax))?.data.toString('utf8') ?? ''
  } catch (error) {
    facts.unreadable.push({ path, because: becauseOf(error, path) })
    return ''
  }
}
