import type { RunCommand } from '../../host/commands.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { jsonIn } from '../gateway/answer.ts'
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
    const told = jsonIn(stdout) as Told | null
    if (code === 0 && told?.ok === true && told.status !== 'starting') return { state: 'good' }
    return { state: 'bad', because: reasonOf(told, stderr) ?? `\`openclaw health\` ended with ${code ?? 'a signal'}` }
  } catch (error) {
    if (!isHoldfastError(error, 'OPENCLAW_FAILED')) throw error
    const because = String(error.facts.because)
    return because.includes('cannot be started') ? { state: 'unasked', because } : { state: 'bad', because }
  }
}

/** What of its answer is looked at; nothing of it need be there. */
interface Told {
  ok?: unknown
  status?: unknown
  error?: unknown
}

function reasonOf(told: Told | null, stderr: string): string | null {
  if (told?.status === 'starting') return 'it is starting'
  const error = told?.error
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : stderr
  const [first = ''] = message.trim().split('\n')
  return first === '' ? null : first.slice(0, wordsMax)
}
