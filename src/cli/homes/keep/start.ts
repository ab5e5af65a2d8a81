import { resolve } from 'node:path'
import { type HomesValues, homePolicyOf, pacesOf, webhookOf } from '../../../config/homes.ts'
import { runCommand } from '../../../host/commands.ts'
import { isSystemError } from '../../../host/files.ts'
import { jsonLog, type Log } from '../../../host/log.ts'
import { logFile } from '../../../host/log-file.ts'
import { packageVersion } from '../../../host/version.ts'
import { keeperApp } from '../../../http/keeper/app.ts'
import { type Listener, listen } from '../../../http/listen.ts'
import { HoldfastError } from '../../../model/errors.ts'
import { takeKeeperLock } from '../../../openclaw/files/own/keeper-files.ts'
import { watchDirectory } from '../../../openclaw/files/watch.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import type { PolicyOverrides } from '../../../openclaw/home/policy.ts'
import type { LastRuns, Paces } from '../../../openclaw/keep/due.ts'
import { Keeper } from '../../../openclaw/keep/keeper.ts'
import { readNote, writeNote } from '../../../openclaw/keep/note.ts'
import type { KeeperStatus } from '../../../openclaw/keep/status.ts'
import { type Receivers, tellReceivers } from '../../../openclaw/keep/tell.ts'
import { readCommandConfig } from '../../config/read.ts'
import type { Terminal } from '../../terminal.ts'
import { homesFor } from '../ground.ts'
import type { KeepOptions } from './options.ts'
import { tasksOf } from './tasks.ts'

const host = '127.0.0.1'
/** A lock that a gateway holds for a turn comes and goes; one that is still there after this is looked at. Unit: ms. */
const lingersMs = 60_000
/** Answers that are being sent when the keeper ends. Unit: ms. */
const lastAnswersMs = 1_000

/**
 * Keeps until `stop` is settled, or does once what is due. Each home has one keeper: with several homes all of them are taken, or
 * none. @throws HoldfastError KEEPER_RUNNING, CONFIG_INVALID, HOME_NOT_FOUND, ADDRESS_IN_USE
 */
export async function startKeeping(options: KeepOptions, terminal: Terminal, stop: Promise<void>): Promise<void> {
  const { clock, cwd, env } = terminal.outside
  const { homes: values } = await readCommandConfig(
    options.config === undefined ? {} : { config: options.config },
    terminal,
  )
  const { paces, receivers, open, find } = groundOf(options, values, terminal)
  const homes = (await find()).map(({ dir }) => dir)
  const to = options.log === undefined ? null : logFile(resolve(cwd, options.log))
  const log = jsonLog('info', to ?? { write: (line) => void terminal.outside.stderr.write(line) })
  const locks: Disposable[] = []
  const controller = new AbortController()
  void stop.then(() => controller.abort(new Error('the keeper ends')))
  let listener: Listener | null = null
  try {
    for (const home of homes) locks.push(takeKeeperLock(home))
    const sinceMs = clock.nowMs()
    const notes = new Map(await Promise.all(homes.map(async (home) => [home, await readNote(home)] as const)))
    const remembers = (home: string, runs: LastRuns) =>
      writeNote(home, { pid: process.pid, sinceMs, url: listener?.url ?? null, runs })
    const keeper = new Keeper({
      homes,
      paces,
      tasks: tasksOf(open, options.agent, terminal),
      clock,
      log,
      tell: (alert) => tellReceivers(alert, receivers, runCommand, { env, cwd }),
      // a resident keeper begins with a look of its own; one that a crontab starts goes on where the last one was
      remember: { read: (home) => (options.once === true ? (notes.get(home)?.runs ?? {}) : {}), write: remembers },
    })
    if (options.once === true) return await keeper.once(controller.signal)
    const status = (): KeeperStatus => ({
      version: packageVersion(),
      pid: process.pid,
      sinceMs,
      homes: [...keeper.status.values()],
      raised: [...keeper.raised],
    })
    listener = await listenFor(portOf(options, values), status)
    for (const home of homes) remembers(home, {})
    await greet(homes, listener, options, terminal)
    const watches = await watchLocks(homes, open, keeper, clock.sleep.bind(clock), controller.signal, log)
    await keeper.keep(controller.signal)
    for (const watch of watches) watch[Symbol.dispose]()
  } finally {
    await listener?.close(lastAnswersMs)
    for (const lock of locks) lock[Symbol.dispose]()
    to?.[Symbol.dispose]()
  }
}

interface KeepGround {
  paces: Paces
  receivers: Receivers
  find(): Promise<Home[]>
  open(home: string): Promise<Home>
}

function groundOf(options: KeepOptions, values: HomesValues, terminal: Terminal): KeepGround {
  const { cwd, env } = terminal.outside
  const defaults = homePolicyOf(values)
  const overrides: PolicyOverrides = options.mode === undefined ? {} : { mode: options.mode }
  const paces = pacesOf(values)
  const named = options.home.length > 0 ? options.home : values.dirs.map((dir) => resolve(cwd, dir))
  const command = values.alerts.command
  const find = (home: string[], docker: boolean) =>
    homesFor({ home, agent: options.agent, ...(docker ? { docker } : {}) }, terminal, { overrides, defaults })
  return {
    paces: {
      ...paces,
      ...(options.locksEvery === undefined ? {} : { locks: { everyMs: options.locksEvery } }),
      ...(options.cleanEvery === undefined ? {} : { clean: { everyMs: options.cleanEvery } }),
    },
    receivers: { webhook: webhookOf(values, env), command: command.length === 0 ? null : command },
    find: () => find(named, values.docker),
    open: async (dir) => {
      const [home] = await find([dir], false)
      if (home === undefined) throw new HoldfastError('HOME_NOT_FOUND', { because: dir })
      return home
    },
  }
}

/** @throws HoldfastError USAGE */
function portOf({ port }: KeepOptions, values: HomesValues): number | null {
  if (port === undefined) return values.status.port
  if (port === 'off') return null
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port)
  throw new HoldfastError('USAGE', {
    because: `--port: "${port}" is neither a port nor "off"`,
    command: 'holdfast keep',
  })
}

async function listenFor(port: number | null, status: () => KeeperStatus): Promise<Listener | null> {
  if (port === null) return null
  try {
    return await listen(keeperApp(host, status), { host, port })
  } catch (error) {
    if (!isSystemError(error, 'EADDRINUSE')) throw error
    throw new HoldfastError('ADDRESS_IN_USE', { because: `${host}:${port}` }, { cause: error })
  }
}

async function greet(
  homes: string[],
  listener: Listener | null,
  options: KeepOptions,
  terminal: Terminal,
): Promise<void> {
  const url = listener?.url ?? null
  if (options.json === true) return await terminal.print(JSON.stringify({ pid: process.pid, url, homes }))
  await terminal.print(`Looking after ${homes.join(', ')}.`, ...(url === null ? [] : [`Status: ${url}/status`]))
}

/** A lock file that appears and stays has the keeper look before its time. */
async function watchLocks(
  homes: string[],
  open: (home: string) => Promise<Home>,
  keeper: Keeper,
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  log: Log,
): Promise<Disposable[]> {
  const watches: Disposable[] = []
  for (const dir of homes) {
    let waits = false
    const seen = (name: string) => {
      if (!name.endsWith('.lock') || waits) return
      waits = true
      void sleep(lingersMs, signal).then(
        () => {
          waits = false
          keeper.hurry(dir)
        },
        () => {}, // the keeper has ended
      )
    }
    for (const { sessionsDir } of (await open(dir)).agents) {
      const watch = watchDirectory(sessionsDir, seen)
      if (watch === null) log.warn({ path: sessionsDir }, 'cannot be watched; it is looked at every so often')
      else watches.push(watch)
    }
  }
  return watches
}
