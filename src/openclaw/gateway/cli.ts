import type { CommandResult, RunCommand } from '../../host/commands.ts'
import type { ProcessTable } from '../../host/processes.ts'
import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Home } from '../home/home.ts'
import type { GatewayFacts } from './running.ts'

/** How the gateway's own command is started for a home. */
export interface OpenclawCommand {
  /** `openclaw`, `node …/openclaw.mjs`, `docker exec <id> openclaw`. */
  words: readonly string[]
  /** The home as the command sees it. */
  stateDir: string
  configPath: string | null
}

export interface OpenclawGround {
  run: RunCommand
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** `--openclaw`: a program, or the `openclaw.mjs` of an installation; null: it is looked for. */
  asked: string | null
  /** Of this process; null where users are not numbered. */
  uid: number | null
  /** Of the home's directory. */
  ownerUid: number
}

const outputBytesMax = 16 * 1024 ** 2

/**
 * The gateway's own command for a home: the one that is asked for, that of the container in which the gateway runs, that of the running
 * gateway's installation, or `openclaw` on the PATH.
 * @throws HoldfastError OPENCLAW_MISSING; OPENCLAW_FAILED where it would leave files of another user in the home
 */
export async function findOpenclaw(
  home: Home,
  gateway: GatewayFacts,
  table: Pick<ProcessTable, 'processes'> | null,
  ground: OpenclawGround,
): Promise<OpenclawCommand> {
  const { asked, uid, ownerUid } = ground
  const container =
    gateway.state === 'running' && /^[0-9a-f]{12,64}$/.test(gateway.container ?? '') ? gateway.container : null
  const inContainer = container !== null && asked === null
  if (!inContainer && uid !== null && uid !== ownerUid) {
    const because = `the home belongs to user ${ownerUid}, and this is user ${uid}: files of its gateway would become ours`
    throw new HoldfastError('OPENCLAW_FAILED', { because })
  }
  const seen = { stateDir: home.elsewhere ?? home.dir, configPath: home.configPath }
  if (container !== null && inContainer)
    return { words: ['docker', 'exec', container, 'openclaw'], ...seen, configPath: null }
  const here = { stateDir: home.dir, configPath: home.configPath }
  if (asked !== null) return { words: wordsOf(asked), ...here }
  const script = gateway.state === 'running' ? scriptOf(gateway.pid, table) : null
  for (const words of [...(script === null ? [] : [wordsOf(script)]), ['openclaw']]) {
    if (await answers({ words, ...here }, ground)) return { words, ...here }
  }
  throw new HoldfastError('OPENCLAW_MISSING', { because: 'there is no `openclaw` on the PATH' })
}

function wordsOf(path: string): string[] {
  return /\.m?js$/.test(path) ? [process.execPath, path] : [path]
}

/** Of a gateway that has not put a title in place of its command line. */
function scriptOf(pid: number, table: Pick<ProcessTable, 'processes'> | null): string | null {
  const argv = table?.processes.find((each) => each.pid === pid)?.argv ?? []
  return argv.find((word) => /^\/.*\/openclaw\.mjs$/.test(word)) ?? null
}

async function answers(command: OpenclawCommand, ground: OpenclawGround): Promise<boolean> {
  try {
    const { code } = await runOpenclaw(command, ['--version'], 60_000, ground)
    return code === 0
  } catch (error) {
    if (isHoldfastError(error, 'COMMAND_MISSING')) return false
    throw error
  }
}

/** Runs it in the environment of the home. @throws HoldfastError COMMAND_MISSING */
export function runOpenclaw(
  { words, stateDir, configPath }: OpenclawCommand,
  args: readonly string[],
  timeLimitMs: number,
  { run, env, cwd }: Pick<OpenclawGround, 'run' | 'env' | 'cwd'>,
): Promise<CommandResult> {
  const [file = '', ...first] = words
  const own = {
    OPENCLAW_STATE_DIR: stateDir,
    NO_COLOR: '1',
    ...(configPath === null ? {} : { OPENCLAW_CONFIG_PATH: configPath }),
  }
  return run(file, [...first, ...args], { timeLimitMs, outputBytesMax, env: { ...env, ...own }, cwd })
}

/** What a command printed as JSON, whatever else it said around it; null: it printed none. */
export function jsonIn(stdout: string): unknown {
  const start = stdout.search(/^[{[]/m)
  if (start === -1) return null
  try {
    return JSON.parse(stdout.slice(start))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The last line of what it said, for people. */
export function lastWords({ stderr, stdout, timedOut, code }: CommandResult): string {
  if (timedOut) return 'it did not end in time'
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim())
  return lines.findLast((line) => line !== '' && !/^[{}\]",]/.test(line))?.slice(0, 300) ?? `it ended with ${code}`
}
