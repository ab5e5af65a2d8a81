import { join } from 'node:path'
import { z } from 'zod'
import type { RunCommand } from '../../../host/commands.ts'
import { HoldfastError } from '../../../model/errors.ts'

/** A directory of this machine that a running container sees at another place. */
export interface Mount {
  container: string
  /** Absolute; on this machine. */
  source: string
  /** Absolute; in the container. */
  destination: string
  /** Where the container's gateway has its home; in the container. */
  stateDir: string
}

const listed = z.array(
  z.object({
    Id: z.string(),
    Name: z.string().default(''),
    Config: z.object({ Env: z.array(z.string()).nullish(), User: z.string().nullish() }).nullish(),
    Mounts: z.array(z.object({ Source: z.string().default(''), Destination: z.string().default('') })).nullish(),
  }),
)

export interface DockerGround {
  run: RunCommand
  env: Readonly<Record<string, string | undefined>>
  cwd: string
}

/**
 * Bind mounts and volumes of all running containers, by `docker ps` and `docker inspect`.
 * @throws HoldfastError COMMAND_MISSING, COMMAND_FAILED
 */
export async function dockerMounts(ground: DockerGround): Promise<Mount[]> {
  const ids = (await docker(ground, ['ps', '--quiet', '--no-trunc'])).split('\n').map((each) => each.trim())
  const running = ids.filter((id) => /^[0-9a-f]{12,64}$/.test(id))
  if (running.length === 0) return []
  const text = await docker(ground, ['inspect', '--type', 'container', ...running])
  return inspected(text).flatMap(({ Id, Name, Config, Mounts }) => {
    const stateDir = stateDirIn(Config?.Env ?? [], Config?.User ?? '')
    const mounts = (Mounts ?? []).filter(({ Source, Destination }) => Source !== '' && Destination !== '')
    const container = Name.replace(/^\//, '') || Id.slice(0, 12)
    return mounts.map(({ Source, Destination }) => ({ container, source: Source, destination: Destination, stateDir }))
  })
}

function stateDirIn(env: readonly string[], user: string): string {
  const value = (name: string) => env.findLast((each) => each.startsWith(`${name}=`))?.slice(name.length + 1)
  const set = value('OPENCLAW_STATE_DIR')
  if (set !== undefined && set !== '') return set
  const name = user.split(':')[0] ?? ''
  const usual = name === '' || name === 'root' || name === '0' ? '/root' : `/home/${name}`
  return join(value('OPENCLAW_HOME') ?? value('HOME') ?? usual, '.openclaw')
}

function inspected(text: string): z.output<typeof listed> {
  try {
    return listed.parse(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error
    throw new HoldfastError(
      'COMMAND_FAILED',
      { because: 'docker inspect: what it says is not understood' },
      { cause: error },
    )
  }
}

const limits = { timeLimitMs: 20_000, outputBytesMax: 32 * 1024 ** 2 }

async function docker({ run, env, cwd }: DockerGround, args: string[]): Promise<string> {
  const { code, stdout, stderr, timedOut, cut } = await run('docker', args, { ...limits, env, cwd })
  if (code === 0 && !timedOut && !cut) return stdout
  const [line = ''] = stderr.trim().split('\n')
  const said = timedOut ? 'no answer in 20 s' : cut ? 'too long an answer' : line || `exit code ${code}`
  throw new HoldfastError('COMMAND_FAILED', { because: `docker ${args[0]}: ${said}` })
}
