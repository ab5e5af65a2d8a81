import { basename, dirname } from 'node:path'
import { isHoldfastError } from '../../../model/errors.ts'
import { sha256Of } from '../../files/digest.ts'
import type { Judged } from '../../files/identity.ts'
import { readMode } from '../../files/mode.ts'
import { openAt } from '../../files/open.ts'
import { openDirectory } from '../../files/place.ts'
import type { Announcement, RunState, StepState } from '../journal/manifest.ts'
import { refusalOf, rootOf, type Territory } from '../territory.ts'

/** What undoing one step means now. */
export type Way =
  /** It is as it was. */
  | { act: 'nothing' }
  | { act: 'put back' }
  | { act: 'replace'; judged: Judged }
  /** The index has moved on since: only the entries go back. */
  | { act: 'merge' }
  | { act: 'remove'; judged: Judged }
  | { act: 'mode'; judged: Judged }
  | { act: 'leave'; because: string }

/** What people are told of a step that must wait until nobody else writes there. */
const gatewayRuns = 'a gateway runs, or may run: stop it first'

const leave = (because: string): Way => ({ act: 'leave', because })

/** Looks at what stands under the name of the step now; changes nothing. */
export async function wayBack(
  home: Territory,
  path: string,
  { told }: StepState,
  { expired }: RunState,
  isStopped: boolean,
): Promise<Way> {
  const refusal = refusalOf(home, path)
  if (refusal !== null) return leave(refusal)
  if ('copy' in told && expired.has(told.copy.file)) return leave('its archive has expired and is deleted')
  if (!isStopped && isGateways(home, path, told)) return leave(gatewayRuns)
  try {
    const root = rootOf(home, path)
    if (told.type === 'mode') {
      const found = readMode(root, path)
      if (found === null) return leave('it is gone')
      if (found.mode === told.was) return { act: 'nothing' }
      return found.mode === told.will ? { act: 'mode', judged: found.judged } : leave('its mode has been changed since')
    }
    using directory = openDirectory(root, dirname(path))
    using there = directory === null ? null : openAt(root, directory, basename(path))
    const sha256 = there === null ? null : await sha256Of(there)
    const judged = there === null ? null : { path, identity: there.identity, sha256 }
    switch (told.type) {
      case 'take':
        if (judged === null) return { act: 'put back' }
        return sha256 === told.copy.sha256 ? { act: 'nothing' } : leave('something else has its name now')
      case 'replace':
        if (judged === null) return leave('it is gone')
        if (sha256 === told.copy.sha256) return { act: 'nothing' }
        if (sha256 === told.will.sha256) return { act: 'replace', judged }
        return told.entries === null ? leave('it has been changed since') : { act: 'merge' }
      case 'create':
        if (judged === null) return { act: 'nothing' }
        return sha256 === told.will.sha256 ? { act: 'remove', judged } : leave('it has been changed since')
    }
  } catch (error) {
    if (isHoldfastError(error) && error.code.startsWith('HOME_')) return leave(error.message)
    throw error
  }
}

/** A running gateway has these in its memory or is at work on them. What it has let go of can be put back beside it. */
function isGateways(home: Territory, path: string, told: Announcement): boolean {
  const isIndex = home.agents.some(({ indexPath }) => indexPath === path)
  return isIndex || told.type === 'replace' || told.kind === 'clear-lock'
}
