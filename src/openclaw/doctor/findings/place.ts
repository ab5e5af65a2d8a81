import { formatCount, formatSize } from '../../../model/units.ts'
import { clockSuspicion } from '../../clean/plan/clock.ts'
import type { PathFacts } from '../../survey/around.ts'
import { withoutPath } from '../../survey/because.ts'
import { type Finding, finding, listOf, type Seen, shellWord } from '../finding.ts'

/** An index is written whole beside the old one, so this much must be free on top of it. Unit: bytes. */
const fullBytes = 128 * 1024 ** 2
/** Under both of these there is little room: a share alone would be much on a large disk, bytes alone much on a small one. */
const lowShare = 0.05
const lowBytes = 5 * 1024 ** 3

const inMemory = new Set(['tmpfs', 'ramfs'])

/** Where the home lies, and who may come near it. */
export function findPlace(seen: Seen): Finding[] {
  const { facts, around } = seen
  return [
    ...findUnread(seen),
    ...findDisk(seen),
    ...finding(seen, 'CLOUD_SYNCED', {
      evidence: `It lies in a folder of ${around.cloud}.`,
      items: around.cloud === null ? [] : [around.cloud],
    }),
    ...findModes(seen),
    ...findOwners(seen),
    ...findClock(seen),
    ...finding(seen, 'GATEWAY_UNKNOWN', {
      evidence: 'It is taken for running.',
      items: facts.gateway.state === 'unknown' ? [facts.gateway] : [],
      example: ({ because }) => ({ says: because }),
    }),
    ...finding(seen, 'HOMES_SEVERAL', {
      evidence: `${formatCount(around.siblings.length, 'more directory', 'more directories')} beside this one.`,
      items: around.siblings,
      example: (path) => ({ path }),
    }),
  ]
}

function findUnread(seen: Seen): Finding[] {
  const { home, agents, disk } = seen.facts
  const unread = [
    ...home.unreadable,
    ...seen.around.unreadable,
    ...agents.flatMap(({ sessionsDir, state }) => {
      return typeof state === 'object' ? [{ path: sessionsDir, because: state.unreadable }] : []
    }),
    ...('unreadable' in disk ? [{ path: home.dir, because: disk.unreadable }] : []),
  ].map(({ path, because }) => ({ path, because: withoutPath(because, path) }))
  const configs = unread.filter(({ path }) => path === home.configPath)
  const others = unread.filter(({ path }) => path !== home.configPath)
  return [
    ...finding(seen, 'CONFIG_UNREADABLE', {
      evidence: `${listOf(configs.map(({ because }) => because))}.`,
      items: configs,
      example: ({ path }) => ({ path }),
    }),
    ...finding(seen, 'PLACE_UNREADABLE', {
      evidence: `${formatCount(others.length, 'place')}.`,
      items: others,
      example: ({ path, because }) => ({ path, says: because }),
    }),
  ]
}

function findDisk(seen: Seen): Finding[] {
  const { disk, agents } = seen.facts
  if ('unreadable' in disk) return []
  const { freeBytes, totalBytes, filesystem, untrusted } = disk
  const indexBytes = Math.max(0, ...agents.map(({ index }) => (index.state === 'absent' ? 0 : index.bytes)))
  const isFull = freeBytes < fullBytes + indexBytes
  const isLow = !isFull && freeBytes < totalBytes * lowShare && freeBytes < lowBytes
  const evidence = `${formatSize(freeBytes)} of ${formatSize(totalBytes)} are free.`
  return [
    ...finding(seen, 'DISK_FULL', { evidence, items: isFull ? [disk] : [] }),
    ...finding(seen, 'DISK_LOW', { evidence, items: isLow ? [disk] : [] }),
    ...finding(seen, 'FILESYSTEM_UNTRUSTED', { evidence: `It is ${filesystem}.`, items: untrusted ? [disk] : [] }),
    ...finding(seen, 'FILESYSTEM_MEMORY', {
      evidence: `It is ${filesystem}.`,
      items: inMemory.has(filesystem) ? [disk] : [],
    }),
  ]
}

function findClock(seen: Seen): Finding[] {
  const suspicion = clockSuspicion(seen.facts)
  return finding(seen, 'CLOCK_SUSPECT', {
    evidence: 'What is on disk does not fit the time that this machine shows.',
    items: suspicion === null ? [] : [suspicion],
    example: (says) => ({ says }),
  })
}

/** What anybody on the host can do; what a group may do is the owner's own choice. */
const othersRead = 0o004
const othersWrite = 0o002
const othersEnter = 0o001
/** In such a directory others may make files, and not take away those of others. */
const sticky = 0o1000

type Open = Pick<PathFacts, 'path' | 'mode' | 'what'>

/** A file is open only if each directory above it is: a gateway writes transcripts with 0644 into directories with 0700. */
function findModes(seen: Seen): Finding[] {
  if (!seen.around.reachable) return []
  const readable = reachedOf(seen, ({ mode, what }) => what === 'file' && (mode & othersRead) !== 0)
  const writable = reachedOf(seen, ({ mode, what }) => {
    return (mode & othersWrite) !== 0 && !(what === 'directory' && (mode & sticky) !== 0)
  })
  const example = ({ path, mode }: Open) => ({ path, says: `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}` })
  return [
    ...finding(seen, 'MODE_WRITABLE', {
      evidence: `${formatCount(writable.length, 'file or directory', 'files and directories')}.`,
      items: writable,
      example,
    }),
    ...finding(seen, 'MODE_OPEN', { evidence: `${formatCount(readable.length, 'file')}.`, items: readable, example }),
  ]
}

/** Of all to which a way leads for somebody else, those of such a mode. */
function reachedOf({ facts, around, files }: Seen, isMeant: (one: Omit<Open, 'path'>) => boolean): Open[] {
  const closed = around.paths
    .filter(({ what, mode }) => what === 'directory' && (mode & othersEnter) === 0)
    .map(({ path }) => `${path}/`)
  const isReached = (path: string) => !closed.some((directory) => path.startsWith(directory))
  const reached = new Set(facts.agents.filter(({ sessionsDir }) => isReached(`${sessionsDir}/`)))
  const sessions = files.filter(({ agent, file }) => reached.has(agent) && isMeant({ mode: file.mode, what: 'file' }))
  return [
    ...around.paths.filter((each) => isMeant(each) && isReached(each.path)),
    ...sessions.map(({ path, file }) => ({ path, mode: file.mode, what: 'file' as const })),
  ]
}

function findOwners(seen: Seen): Finding[] {
  const { facts, around } = seen
  const owner = around.paths.find(({ path }) => path === facts.home.dir)?.uid
  if (owner === undefined) return []
  const items = [
    ...around.paths.filter(({ uid }) => uid !== owner),
    ...seen.files.filter(({ file }) => file.uid !== owner).map(({ path, file }) => ({ path, uid: file.uid })),
  ]
  const users = [...new Set(items.map(({ uid }) => uid))]
  return finding(seen, 'OWNER_OTHER', {
    evidence: `${formatCount(items.length, 'file')} of user ${listOf(users.map(String))}; the home belongs to user ${owner}.`,
    items,
    example: ({ path, uid }) => ({ path, says: `user ${uid}` }),
    fix: `sudo chown -R ${owner} ${shellWord(facts.home.dir)}`,
  })
}
