import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { holdfast } from '../../cli/program.ts'
import { buildHome } from '../build.ts'
import type { BuiltHome, HomePlan } from '../plans.ts'
import type { Ground } from '../unpack.ts'

/** For what is only looked at: the fixtures ended on the 21st. What is written meanwhile would be of the future. */
export const nowMs = Date.UTC(2026, 10, 26, 3)
export const dayMs = 86_400_000

/** Of no process: the kernel gives no id above 4,194,304. */
export const nobody = 4_194_999

export function homeIn(ground: Ground, plan: HomePlan): BuiltHome {
  return buildHome(join(ground.root, 'home', '.openclaw'), { nowMs, ...plan })
}

/**
 * As somebody who has no crontab and no units; what the machine shows becomes a name. Other tests run programs beside this one that look
 * like gateways and end while they are looked at: then it is asked again.
 */
export async function seen(
  ground: Ground,
  line: string,
  atMs = nowMs,
  triesMax = 10,
): Promise<{ code: number; text: string }> {
  const user = join(ground.root, 'user')
  mkdirSync(user, { recursive: true })
  for (let tries = 1; ; tries += 1) {
    const scene = { cwd: ground.root, env: { HOME: user, PATH: '' }, nowMs: atMs }
    const { code, stdout, stderr } = await holdfast(line.split(' '), scene)
    if (/\bgateway .*(?:cannot be told|runs for)/.test(stdout) && tries < triesMax) continue
    const parts = [`$ holdfast ${line}\n`, stdout, stderr.replace(/^(?=.)/gm, '! ')]
    return { code, text: plainText([...parts, code === 0 ? '' : `exit ${code}\n`].join(''), ground) }
  }
}

export function plainText(text: string, { root }: Ground): string {
  return text
    .replaceAll(root, '<ground>')
    .replace(/\bnone of \d+ processes\b/g, 'none of <n> processes')
    .replace(/(disk\b[^\n]*?)[\d.]+ [KMGT]?B of [\d.]+ [KMGT]?B free, \w+/g, '$1<disk>')
    .replace(/(\(|by Holdfast \S+ \()\w+ \w+, Node [\d.]+\)/g, '$1<machine>)')
}
