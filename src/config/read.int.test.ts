import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unprivileged } from '../../test/unprivileged.ts'
import { type ConfigInput, readConfig } from './read.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const put = (name: string, text: string) => writeFileSync(join(directory, name), text)
const read = (input: Partial<ConfigInput> = {}) =>
  readConfig({ file: null, directory: null, flags: [], workingDirectory: directory, ...input })

describe('which file is read', () => {
  it('goes by defaults when there is none', () => {
    expect(read()).toMatchObject({ file: null, data: join(directory, '.holdfast'), server: { port: 4747 } })
  })

  it('takes the one in the data directory before the one in the working directory', () => {
    mkdirSync(join(directory, '.holdfast'))
    put('holdfast.json5', '{ server: { port: 1001 } }')
    expect(read().server.port).toBe(1001)
    put('.holdfast/holdfast.json5', '{ server: { port: 1002 } } // comments are fine')
    expect(read().server.port).toBe(1002)
    expect(read({ file: 'holdfast.json5' }).server.port).toBe(1001)
  })

  it('takes `data` as relative to the file that says it, and --data over it', () => {
    put('other.json5', '{ data: "kept/here" }')
    expect(read({ file: 'other.json5' }).data).toBe(join(directory, 'kept/here'))
    expect(read({ file: 'other.json5', directory: 'there' }).data).toBe(join(directory, 'there'))
  })

  it('refuses a file in a data directory that names another data directory', () => {
    mkdirSync(join(directory, '.holdfast'))
    put('.holdfast/holdfast.json5', '{ data: "elsewhere" }')
    expect(() => read()).toThrow('cannot name another one')
  })
})

describe('a file that cannot be used', () => {
  it('is an error when --config names it and it is not there', () => {
    expect(() => read({ file: 'absent.json5' })).toThrow('there is no such file')
  })

  it('is not taken for an absent one when it cannot be read', () => {
    mkdirSync(join(directory, 'holdfast.json5'))
    expect(() => read()).toThrow('it is there but cannot be read (EISDIR)')
  })

  it('is not taken for an absent one when it may not be read', async () => {
    put('holdfast.json5', '{}')
    chmodSync(join(directory, 'holdfast.json5'), 0)
    await unprivileged(directory, () => expect(() => read()).toThrow('it is there but cannot be read (EACCES)'))
  })

  it('is no matter of configuration when the data directory is closed', async () => {
    mkdirSync(join(directory, '.holdfast'), { mode: 0 })
    await unprivileged(directory, () => expect(() => read()).toThrow('The data directory cannot be read and written'))
  })

  it('is named with the place of a slip in its syntax', () => {
    put('holdfast.json5', '{\n  server: {\n')
    expect(() => read()).toThrow(/holdfast\.json5: invalid end of input at 3:1/)
  })
})
