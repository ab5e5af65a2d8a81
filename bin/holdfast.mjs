#!/usr/bin/env node
// Finds the program and a Node that can run it. Plain old syntax on purpose: an old Node must get as far as the message.
import { spawn } from 'child_process'
import { existsSync } from 'fs'
import module from 'module'
import { fileURLToPath } from 'url'

/** The program as it is written, present in a checkout only. Its `using` needs a newer Node than the built program. */
const source = { url: new URL('../src/cli/main.ts', import.meta.url), node: [24, 0] }
const built = { url: new URL('../dist/cli/main.js', import.meta.url), node: [22, 18] }
const program = existsSync(source.url) ? source : built

const bundledNode = fileURLToPath(
  new URL('../node_modules/node/bin/node' + (process.platform === 'win32' ? '.exe' : ''), import.meta.url),
)

if (isAtLeast(process.versions.node, program.node)) start()
else if (existsSync(bundledNode)) startOn(bundledNode)
else refuse()

function isAtLeast(version, wanted) {
  const parts = version.split('.').map(Number)
  return parts[0] > wanted[0] || (parts[0] === wanted[0] && parts[1] >= wanted[1])
}

function start() {
  if (module.enableCompileCache) module.enableCompileCache() // halves the time to the first line
  import(program.url.href).catch((error) => {
    if (program === built && error.code === 'ERR_MODULE_NOT_FOUND' && error.url === built.url.href) {
      process.stderr.write(
        'holdfast: dist/cli/main.js is missing.\nRun `npm run build`, or install the package again.\n',
      )
      process.exit(1)
    }
    throw error
  })
}

function startOn(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both processes itself; passed on as well, it would count as a second, impatient one.
  const fromTerminal = process.stdin.isTTY ? ['SIGINT'] : []
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!fromTerminal.includes(signal)) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    process.stderr.write('holdfast: could not start ' + node + ': ' + error.message + '\nRun `npm ci` again.\n')
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function refuse() {
  const fix = program === source ? 'run `npm ci`, which brings one,' : 'install a newer Node'
  process.stderr.write(
    'holdfast: this is Node ' +
      process.versions.node +
      '; Node ' +
      program.node.join('.') +
      ' or newer is needed.\n' +
      'To fix it, ' +
      fix +
      (program === source ? ' and try again.\n' : ' (https://nodejs.org) and try again.\n'),
  )
  process.exit(1)
}
