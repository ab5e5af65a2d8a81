import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { readTextIfPresent } from '../../../host/files.ts'
import { thisProgram } from '../../../host/program.ts'
import { HoldfastError } from '../../../model/errors.ts'
import type { ScheduleKind, ScheduleRequest } from '../../../openclaw/schedule/plan.ts'
import { unitFolder } from '../../../openclaw/schedule/plan.ts'
import type { Terminal } from '../../terminal.ts'
import { homesFor, userDirOf } from '../ground.ts'
import { addHomeOptions, type HomeOptions } from '../options.ts'

export interface ScheduleOptions extends HomeOptions {
  systemd?: true
  cron?: true
  launchd?: true
  system?: true
  prestart?: string
  mode?: 'warn' | 'enforce'
  log?: string
  config?: string
  force?: true
}

/** What `install` and `uninstall` both take. */
export function addScheduleOptions(each: Command): Command {
  return addHomeOptions(
    each
      .addOption(new Option('--systemd', 'a service of systemd').conflicts(['cron', 'launchd']))
      .addOption(new Option('--cron', 'a line in your crontab').conflicts(['systemd', 'launchd']))
      .addOption(new Option('--launchd', 'an agent of launchd').conflicts(['systemd', 'cron']))
      .addOption(new Option('--system', 'for the whole machine, not only for this user').conflicts('cron')),
  )
}

/** @throws HoldfastError USAGE where it cannot be told what is meant */
export async function requestOf(
  options: ScheduleOptions,
  terminal: Terminal,
  homesAre: 'needed' | 'none needed' = 'needed',
): Promise<ScheduleRequest> {
  const { env, cwd } = terminal.outside
  const kind = kindOf(options)
  const scope = options.system === true ? 'system' : 'user'
  const userDir = userDirOf(terminal)
  const homes = homesAre === 'needed' ? (await homesFor(options, terminal)).map(({ dir }) => dir) : [userDir]
  const configHome = env.XDG_CONFIG_HOME || join(userDir, '.config')
  return {
    kind,
    scope,
    homes,
    program: thisProgram(),
    mode: options.mode ?? null,
    logFile: options.log === undefined ? join(homes[0] as string, 'holdfast', 'keep.log') : resolve(cwd, options.log),
    configFile: options.config === undefined ? null : resolve(cwd, options.config),
    prestartUnit: unitOf(options.prestart, kind),
    folder: unitFolder(kind, scope, userDir, configHome),
  }
}

function kindOf({ systemd, cron, launchd }: ScheduleOptions): ScheduleKind {
  if (systemd === true) return 'systemd'
  if (cron === true) return 'cron'
  if (launchd === true) return 'launchd'
  throw usage('say which: --systemd, --cron or --launchd')
}

function unitOf(text: string | undefined, kind: ScheduleKind): string | null {
  if (text === undefined) return null
  if (kind !== 'systemd') throw usage('--prestart goes with --systemd only')
  const unit = text.includes('.') ? text : `${text}.service`
  if (/^[\w@:.\\-]{1,200}\.service$/.test(unit)) return unit
  throw usage(`--prestart: "${text}" is no name of a service`)
}

/**
 * What is installed in a container is gone with it, and its schedule would stand still with the very gateway that it looks after.
 * @throws HoldfastError SCHEDULE_FAILED in a container, unless it is forced
 */
export function requireHost({ force }: ScheduleOptions): void {
  const inside = readTextIfPresent('/.dockerenv') !== null || readTextIfPresent('/run/.containerenv') !== null
  if (!inside || force === true) return
  const because = 'this is a container; run it on the host with --docker or --home, or insist with --force'
  throw new HoldfastError('SCHEDULE_FAILED', { because })
}

function usage(because: string): HoldfastError {
  return new HoldfastError('USAGE', { because })
}
