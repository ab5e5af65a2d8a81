import { expect, it } from 'vitest'
import { threadOptions } from './process.ts'

it('gives threads the options by which modules are loaded, with their values', () => {
  const given = [
    '--conditions',
    'x',
    '-r',
    './hook.cjs',
    '--import=./more.mjs',
    '--no-warnings',
    '--permission',
    '--allow-worker',
  ]
  expect(threadOptions(given)).toEqual(given)
})

it('keeps back the program that came with the options, and what threads may not have', () => {
  const program = ['--input-type', 'module', '--eval=run()', '-e', 'run()']
  const whole = ['--expose-gc', '--max-old-space-size=99', '--max-semi-space-size', '16', '--title=x', '--inspect']
  expect(threadOptions([...program, ...whole, '--conditions', 'x'])).toEqual(['--conditions', 'x'])
})
