import { expect, it } from 'vitest'
import { threadOptions } from './process.ts'

it('gives threads the options of the process, without the program that came with them', () => {
  expect(threadOptions(['--input-type=module', '--expose-gc', '-e', 'run()', '--conditions', 'x'])).toEqual([
    '--expose-gc',
    '--conditions',
    'x',
  ])
  expect(threadOptions(['--input-type', 'module', '--eval=run()', '--max-old-space-size=99'])).toEqual([
    '--max-old-space-size=99',
  ])
})
