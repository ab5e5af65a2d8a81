import { readFileSync } from 'node:fs'
import { type RunWords, runCommand } from '../../../src/host/commands.ts'
import { installSchedule, removeSchedule } from '../../../src/openclaw/schedule/apply.ts'
import { planSchedule } from '../../../src/openclaw/schedule/plan.ts'

// Installs and removes in the real crontab of this user: started with a spool of its own only. Prints what each step left.

const run: RunWords = ([file = '', ...args]) =>
  runCommand(file, args, {
    timeLimitMs: 10_000,
    outputBytesMax: 1_000_000,
    env: { PATH: process.env.PATH },
    cwd: '/tmp',
  })
const plan = planSchedule({
  kind: 'cron',
  scope: 'user',
  homes: JSON.parse(process.argv[2] as string),
  program: { node: '/usr/bin/node', script: '/opt/holdfast/bin/holdfast.mjs' },
  mode: null,
  logFile: '/var/log/holdfast.log',
  configFile: null,
  prestartUnit: null,
  folder: '',
})
const crontab = async () => (await run(['crontab', '-l'])).stdout

const mounts = readFileSync('/proc/self/mounts', 'utf8')
if (!/ \/var\/spool\/cron\S* tmpfs /.test(mounts)) throw new Error('this is the real spool')
await runCommand('crontab', [process.argv[3] as string], {
  timeLimitMs: 10_000,
  outputBytesMax: 1_000,
  env: process.env,
  cwd: '/tmp',
})
const before = await crontab()
const first = await installSchedule(plan, run)
const installed = await crontab()
const second = await installSchedule(plan, run)
const again = await crontab()
const removed = await removeSchedule(plan, run)
const after = await crontab()
const nothing = await removeSchedule(plan, run)
process.stdout.write(JSON.stringify({ before, first, installed, second, again, removed, after, nothing }))
