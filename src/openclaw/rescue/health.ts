import type { RunCommand } from '../../host/commands.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { askOpenClaw, type OpenClaw } from '../gateway/command.ts'
import type { Health } from './blockers.ts'

/** The command starts a whole program before it asks. Unit: ms. */
const timeLimitMs = 30_000
const wordsMax = 200

/** What `openclaw health --json` says. A gateway that starts up is not good yet. */
export async function askHealth(openclaw: OpenClaw | null, run: RunCommand): Promise<Health> {
  if (openclaw === null)
    return { state: 'unasked', because: 'the command `openclaw` was not found; name it with --openclaw' }
  try {
    const { code, stdout, stderr } = await askOpenClaw(openclaw, ['health', '--json'], timeLimitMs, run)
    const told = parse(stdout)
    if (code === 0 && told?.ok === true && told.status !== 'starting') return { state: 'good' }
    return { state: 'bad', because: reasonOf(told, stderr) ?? `\`openclaw health\` ended with ${code ?? 'a signal'}` }
  } catch (error) {
    if (!isHoldfastError(error, 'OPENCLAW_FAILED')) throw error
    const because = String(error.facts.because)
    return because.includes('cannot be started') ? { state: 'unasked', because } : { state: 'bad', because }
  }
}

interface Told {
  ok?: unknown
  status?: unknown
  error?: unknown
}

/** Releases print warnings before their JSON now and then. */
function parse(text: string): Told | null {
  const start = text.indexOf('{')
  if (start < 0) return null
  try {
    const found: unknown = JSON.parse(text.slice(start))
    return typeof found === 'object' && found !== null ? found : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function reasonOf(told: Told | null, stderr: string): string | null {
  if (told?.status === 'starting') return 'it is starting'
  const error = told?.error
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : stderr
  const [first = ''] = message.trim().split('\n')
  return first === '' ? null : first.slice(0, wordsMax)
}
