import { resolve } from 'node:path'
import type { Config, Flag } from '../../config/read.ts'
import type { CommandOptions } from '../options.ts'
import type { Terminal } from '../terminal.ts'

/** The configuration as this command line has it. @throws HoldfastError CONFIG_INVALID */
export async function readCommandConfig(
  options: CommandOptions,
  terminal: Terminal,
  flags: readonly Flag[] = [],
): Promise<Config> {
  const { readConfig } = await import('../../config/read.ts') // brings zod, which most commands do without
  return readConfig({
    file: options.config ?? null,
    directory: options.data ?? null,
    flags: [...storeFlag(options, terminal), ...flags],
    workingDirectory: terminal.outside.cwd,
  })
}

/** The variable spares an address with a password from lists of processes. */
function storeFlag({ store }: CommandOptions, { outside }: Terminal): Flag[] {
  const variable = 'HOLDFAST_STORE'
  if (store !== undefined) return [{ key: 'store.url', flag: '--store', value: store }]
  const value = outside.env[variable]
  return value === undefined || value === '' ? [] : [{ key: 'store.url', flag: variable, value }]
}

/** Where the data is; `--data` says it without the file, which may be slow or broken. @throws HoldfastError CONFIG_INVALID */
export async function dataDirectory(options: CommandOptions, terminal: Terminal): Promise<string> {
  if (options.data !== undefined) return resolve(terminal.outside.cwd, options.data)
  return (await readCommandConfig(options, terminal)).data
}
