import { join } from 'node:path'
import { keepCommand, type Program } from './command.ts'
import { crontabLines } from './crontab.ts'
import { agentLabel, agentPlist } from './launchd.ts'
import { keeperUnit, prestartDropIn } from './systemd.ts'

export type ScheduleKind = 'systemd' | 'cron' | 'launchd'

export interface ScheduleRequest {
  kind: ScheduleKind
  /** Of this user, or of the machine; crontabs are always a user's. */
  scope: 'user' | 'system'
  /** Absolute. */
  homes: string[]
  program: Program
  /** Of cleaning, for the keeper and before a start; null: as each home says. */
  mode: 'warn' | 'enforce' | null
  /** Absolute; the keeper rotates it itself. */
  logFile: string
  configFile: string | null
  /** The gateway's own unit, `openclaw-gateway.service`: gets `holdfast prestart` before each start. Only systemd. */
  prestartUnit: string | null
  /** Where units and agents of this scope lie: {@link unitFolder}. */
  folder: string
}

/** A file that the schedule consists of. It is ours alone: nobody else writes into it. */
export interface ScheduledFile {
  path: string
  text: string
}

export interface SchedulePlan {
  files: ScheduledFile[]
  /** Our lines of the crontab, between our marks; null where there is none. */
  crontab: string[] | null
  /** Run in this order after the files are written. */
  activate: string[][]
  /** Ends with 0 when the schedule is in force. */
  check: string[] | null
  /** Run before the files are removed; failures are told and do not stop it. */
  deactivate: string[][]
  /** Run after they are removed. */
  afterwards: string[][]
}

/** In a folder that is named after the gateway's unit. */
export const hookName = 'holdfast.conf'

const keeperUnitName = 'holdfast-keep.service'

/** What installing comes to. Files whose text depends on nothing but the request, so that a second time changes nothing. */
export function planSchedule(request: ScheduleRequest): SchedulePlan {
  switch (request.kind) {
    case 'systemd':
      return planSystemd(request)
    case 'launchd':
      return planLaunchd(request)
    case 'cron':
      return {
        files: [],
        crontab: crontabLines(keepCommand(request, ['--once'])),
        activate: [],
        check: null,
        deactivate: [],
        afterwards: [],
      }
  }
}

function planSystemd(request: ScheduleRequest): SchedulePlan {
  const { folder, scope, prestartUnit } = request
  const systemctl = scope === 'user' ? ['systemctl', '--user'] : ['systemctl']
  const files = [{ path: join(folder, keeperUnitName), text: keeperUnit(keepCommand(request, []), scope) }]
  if (prestartUnit !== null) {
    files.push({ path: join(folder, `${prestartUnit}.d`, hookName), text: prestartDropIn(request) })
  }
  return {
    files,
    crontab: null,
    activate: [
      [...systemctl, 'daemon-reload'],
      [...systemctl, 'enable', keeperUnitName],
      [...systemctl, 'restart', keeperUnitName],
    ],
    check: [...systemctl, 'is-active', '--quiet', keeperUnitName],
    deactivate: [[...systemctl, 'disable', '--now', keeperUnitName]],
    afterwards: [[...systemctl, 'daemon-reload']],
  }
}

function planLaunchd(request: ScheduleRequest): SchedulePlan {
  const path = join(request.folder, `${agentLabel}.plist`)
  return {
    files: [{ path, text: agentPlist(keepCommand(request, [])) }],
    crontab: null,
    activate: [['launchctl', 'load', '-w', path]],
    check: ['launchctl', 'list', agentLabel],
    deactivate: [['launchctl', 'unload', '-w', path]],
    afterwards: [],
  }
}

/** Where the system looks for what is scheduled. */
export function unitFolder(kind: ScheduleKind, scope: 'user' | 'system', userHome: string, configHome: string): string {
  if (kind === 'systemd') return scope === 'system' ? '/etc/systemd/system' : join(configHome, 'systemd', 'user')
  if (kind === 'launchd')
    return scope === 'system' ? '/Library/LaunchDaemons' : join(userHome, 'Library', 'LaunchAgents')
  return ''
}
