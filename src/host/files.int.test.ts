import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeDirectory } from './files.ts'

const root = mkdtempSync(join(tmpdir(), 'holdfast-files-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('a directory', () => {
  it('is made with those above it, for its owner only, and may be there already', () => {
    const deep = join(root, 'a', 'b', 'c')
    makeDirectory(deep)
    makeDirectory(deep)
    const modes = [join(root, 'a'), join(root, 'a', 'b'), deep].map((path) => statSync(path).mode & 0o777)
    expect(modes).toEqual([0o700, 0o700, 0o700])
  })
  it('is refused where a file stands, or above it', () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    expect(() => makeDirectory(file)).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(() => makeDirectory(join(file, 'below'))).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  })
  it.skipIf(process.platform !== 'linux')(
    'is refused, not tried for ever, where the file system lets none be made',
    () => {
      expect(() => makeDirectory('/proc/holdfast/data')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    },
  )
})
