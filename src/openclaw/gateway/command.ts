import { join } from 'node:path'
import type { CommandResult, RunCommand } from '../../host/commands.ts'
import { isExecutable } from '../../host/files.ts'
import type { ProcessTable } from '../../host/processes.ts'
import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import type { Home } from '../home/home.ts'
import type { GatewayFacts } from './running.ts'

/** The gateway's own command for one home: what it is started with, and in which surroundings. */
export interface OpenClaw {
  words: string[]
  env: Readonly<Record<string, string | undefined>>
  cwd: string
}

export interface CommandGround {
  /** `--openclaw`, absolute; null: it is looked for. */
  named: string | null
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** That runs this program. */
  node: string
  platform: NodeJS.Platform
}

const entry = /(?:^|\/)openclaw\.mjs$/

/**
 * The command that is named, else the one that the running gateway was started with, else the first on `PATH`; null where there is none.
 * For a gateway in a container it is run in there.
 */
export function findOpenClaw(
  home: Pick<Home, 'dir' | 'configPath' | 'elsewhere'>,
  gateway: GatewayFacts,
  table: ProcessTable | null,
  ground: CommandGround,
): OpenClaw | null {
  const { named, cwd } = ground
  const env = envOf(home, ground.env)
  if (named !== null) return { words: startOf(named, ground.node), env, cwd }
  if (gateway.state === 'running' && gateway.container !== null) {
    const docker = onPath('docker', ground) ?? onPath('podman', ground)
    return docker === null ? null : { words: [docker, 'exec', gateway.container, 'openclaw'], env: ground.env, cwd }
  }
  const words = startedWith(gateway, table, ground) ?? onPath('openclaw', ground)
  return words === null ? null : { words: typeof words === 'string' ? [words] : words, env, cwd }
}

/** The surroundings in which the gateway's own commands mean this home. */
export function envOf(
  home: Pick<Home, 'dir' | 'configPath'>,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const config = home.configPath === null ? {} : { OPENCLAW_CONFIG_PATH: home.configPath }
  return { ...env, OPENCLAW_STATE_DIR: home.dir, ...config, NO_COLOR: '1' }
}

/** Words of its own command line; a gateway that has given itself a title tells them no more, but whoever started it may. */
function startedWith(gateway: GatewayFacts, table: ProcessTable | null, { node }: CommandGround): string[] | null {
  if (gateway.state !== 'running' || table === null) return null
  const own = table.processes.find(({ pid }) => pid === gateway.pid)
  const parent = table.processes.find(({ pid }) => pid === own?.parent)
  for (const process of [own, parent]) {
    const script = process?.argv.find((word) => entry.test(word))
    if (process === undefined || script === undefined || !script.startsWith('/')) continue
    return [table.look(process.pid, [])?.program ?? node, script]
  }
  return null
}

function startOf(path: string, node: string): string[] {
  return /\.m?js$/.test(path) ? [node, path] : [path]
}

function onPath(name: string, { env, platform }: CommandGround): string | null {
  const folders = (env.PATH ?? '').split(platform === 'win32' ? ';' : ':').filter((folder) => folder !== '')
  const names = platform === 'win32' ? [`${name}.cmd`, `${name}.exe`] : [name]
  return folders.flatMap((folder) => names.map((each) => join(folder, each))).find(isExecutable) ?? null
}

const outputBytesMax = 16 * 1024 ** 2

/** What the command says, whatever it ends with. @throws HoldfastError OPENCLAW_FAILED when it cannot be started or does not end in time */
export async function askOpenClaw(
  { words, env, cwd }: OpenClaw,
  args: readonly string[],
  timeLimitMs: number,
  run: RunCommand,
): Promise<CommandResult> {
  const [file = '', ...first] = words
  const spoken = `openclaw ${args.join(' ')}`
  try {
    const result = await run(file, [...first, ...args], { timeLimitMs, outputBytesMax, env, cwd })
    if (!result.timedOut) return result
    throw new HoldfastError('OPENCLAW_FAILED', { because: `\`${spoken}\` did not end within ${timeLimitMs / 1_000} s` })
  } catch (error) {
    if (!isHoldfastError(error, 'COMMAND_MISSING')) throw error
    throw new HoldfastError('OPENCLAW_FAILED', { because: `${file} cannot be started` }, { cause: error })
  }
}
