import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildHome } from '../build.ts'
import { cronRuns } from '../crowd.ts'
import type { BuiltHome, HomePlan } from '../plans.ts'
import type { Ground } from '../unpack.ts'

export const dayMs = 86_400_000
export const person = (at: number) => `agent:main:telegram:direct:${at}`
/** Of no process: the kernel gives no id above 4,194,304. */
export const nobody = 4_194_999

/** A home with something of each kind to do, unless another plan is given. */
export function idleHome(ground: Ground, plan: Partial<HomePlan> = {}): BuiltHome {
  const sessions = [
    { key: 'agent:main:main', ageMs: 60 * dayMs },
    { key: person(1), ageMs: 6 * dayMs },
    { key: person(2), ageMs: 4 * dayMs },
    { key: person(3), ageMs: 40 * dayMs, transcript: false },
    { key: 'agent:main:telegram:group:-1', ageMs: 60 * dayMs },
    { key: 'agent:main:slack:channel:c:thread:1.2', ageMs: 60 * dayMs, topic: '1.2' },
    { key: 'agent:main:loose', ageMs: 9 * dayMs, bound: false },
    ...cronRuns(4).map((each, at) => ({ ...each, ageMs: (at + 1) * 10 * 3_600_000 })),
  ]
  const leftovers = (
    [
      'deleted',
      'reset',
      'backup',
      'corrupt',
      'checkpoint',
      'trajectory',
      'temporary',
      'index-temporary',
      'side',
      'prompt',
    ] as const
  ).map((kind) => ({ kind, ageMs: 2 * dayMs }))
  return buildHome(join(ground.root, 'home'), { agents: [{ id: 'main', sessions, leftovers }], ...plan })
}

export const names = (dir: string) => readdirSync(join(dir, 'agents/main/sessions'))
