import { closeSync, fstatSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSystemError } from '../../../src/host/files.ts'

// Takes and releases one lock as a gateway does, again and again, and leaves some behind as a killed one does. Says after so many
// milliseconds how often it had it, and how often it was gone from under it: for a moment, or for good.

const [path = '', forMs = ''] = process.argv.slice(2)
const untilMs = Date.now() + Number(forMs)
const told = { taken: 0, away: 0, lost: 0 }
const nobody = 2 ** 22

while (Date.now() < untilMs) {
  const fd = take(told.taken % 2 === 1 ? nobody : process.pid)
  if (fd === null) {
    await sleep(1)
    continue
  }
  told.taken += 1
  if (told.taken % 2 === 1) await hold(fd)
  closeSync(fd) // every second one stays, and names a process that is not there
}
console.log(JSON.stringify(told))

function take(pid: number): number | null {
  try {
    const fd = openSync(path, 'wx')
    writeSync(fd, JSON.stringify({ pid, createdAt: new Date().toISOString(), starttime: 1 }))
    return fd
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return null
    throw error
  }
}

async function hold(fd: number): Promise<void> {
  const own = fstatSync(fd).ino
  const isThere = () => lstatSync(path, { throwIfNoEntry: false })?.ino === own
  const until = performance.now() + 3
  let wasAway = false
  while (performance.now() < until) wasAway ||= !isThere()
  for (let tries = 0; !isThere() && tries < 100; tries += 1) {
    wasAway = true
    await sleep(2)
  }
  if (wasAway) told.away += 1
  if (!isThere() || !remove()) told.lost += 1
}

/** Gives whether it was still there. */
function remove(): boolean {
  try {
    rmSync(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}
