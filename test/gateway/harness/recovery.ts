import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { RecoveryReport, RecoveryState } from '../../../src/engine/upkeep/recover.ts'
import type { Turn } from '../../../src/model/turns.ts'
import { nameOf } from '../../../src/recovery/plan.ts'
import { bin, node } from '../../cli/processes.ts'
import type { Api } from './api.ts'
import type { Place } from './gateway.ts'

export const run = promisify(execFile)

/** The command line, in a process of its own, beside the gateway or without one. */
export async function holdfast<T>({ path, data }: Place, ...words: string[]): Promise<T> {
  const args = [bin, ...words, '--json', '--data', data, '--config', `${path}/holdfast.json5`]
  return JSON.parse((await run(node, args, { cwd: path })).stdout) as T
}

export const stepsOf = (steps: RecoveryReport['todo']) =>
  steps.map((step) => [nameOf(step), step.sessionKey, step.turnId, step.because])

export const stateOf = async (api: Api) => (await api.get<{ recovery: RecoveryState }>('/v1/status')).recovery
export const turnOf = async (api: Api, id: string) => (await api.get<{ turn: Turn }>(`/v1/turns/${id}`)).turn
