// Stands in for a gateway and its command: `gateway` works on a home until it is told to end, `gateway stop|start` and `health --json`
// do what theirs do. A gateway that finds `wedge` in its home takes a lock that it never gives back, and stops being well.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = process.env.OPENCLAW_STATE_DIR
const pidFile = join(home, 'stand-in.pid')
const words = process.argv.slice(2).join(' ')
const running = () => {
  try {
    return process.kill(Number(readFileSync(pidFile, 'utf8')), 0)
  } catch {
    return false
  }
}

if (words === 'gateway') {
  const folder = join(home, 'tmp', `openclaw-${process.getuid()}`)
  mkdirSync(folder, { recursive: true })
  const startTime = Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[19])
  const claim = { pid: process.pid, createdAt: new Date().toISOString(), stateDir: home, startTime }
  writeFileSync(join(folder, 'gateway.state.lock'), JSON.stringify(claim))
  if (existsSync(join(home, 'wedge'))) {
    const lock = join(home, 'agents/main/sessions', readFileSync(join(home, 'wedge'), 'utf8').trim())
    const held = {
      pid: process.pid,
      createdAt: new Date(Date.now() - 12 * 60_000).toISOString(),
      maxHoldMs: 300_000,
      starttime: startTime,
    }
    const fd = openSync(lock, 'wx')
    writeFileSync(fd, JSON.stringify(held, null, 2))
    process.on('exit', () => closeSync(fd))
    rmSync(join(home, 'wedge'))
    writeFileSync(join(home, 'is-wedged'), '')
  } else rmSync(join(home, 'is-wedged'), { force: true })
  writeFileSync(pidFile, String(process.pid))
  setInterval(() => {}, 1_000)
} else if (words === 'gateway stop') {
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
} else if (words === 'gateway start') {
  spawn(process.execPath, [fileURLToPath(import.meta.url), 'gateway'], { detached: true, stdio: 'ignore' }).unref()
  for (let tries = 0; tries < 100 && !running(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 50))
} else if (words === 'health --json') {
  const ok = running() && !existsSync(join(home, 'is-wedged'))
  process.stdout.write(JSON.stringify(ok ? { ok } : { ok, error: { message: 'the lane main stands still' } }))
  process.exitCode = ok ? 0 : 1
}
