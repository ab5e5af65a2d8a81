import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { logFile } from './log-file.ts'

it('keeps the last lines and never grows beyond its bound', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'keep.log')
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}\n`)
  {
    using log = logFile(path, 100)
    for (const line of lines.slice(0, 50)) log.write(line)
  }
  using log = logFile(path, 100) // a second start goes on
  for (const line of lines.slice(50)) log.write(line)
  expect(readdirSync(folder).sort()).toEqual(['keep.log', 'keep.log.1', 'keep.log.2'])
  const kept = ['keep.log.2', 'keep.log.1', 'keep.log'].map((name) => readFileSync(join(folder, name), 'utf8')).join('')
  expect(lines.join('').endsWith(kept)).toBe(true)
  expect(kept.length).toBeGreaterThan(200)
  expect(kept.length).toBeLessThan(330)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
