import { systemClock } from '../host/clock.ts'
import { printFailure } from './failure.ts'
import type { Outside, SignalName } from './outside.ts'
import { asksForDebug, run } from './run.ts'

const outside: Outside = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  onSignal: (names, listener) => {
    const listen = (name: NodeJS.Signals) => listener(name as SignalName)
    for (const name of names) process.on(name, listen)
    return () => {
      for (const name of names) process.off(name, listen)
    }
  },
}

// A reader that has seen enough (`holdfast sessions list | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

// Whatever state this process is in, what is on disk is whole: the next start goes on from there.
process.on('uncaughtException', (error) => {
  printFailure(error, outside, { withStack: asksForDebug(process.argv) })
  process.exit(1)
})

const staying = setInterval(() => {}, 2 ** 30) // the clock's timers keep no process alive
const code = await run(process.argv.slice(2), outside)
clearInterval(staying)
process.exitCode = code
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
