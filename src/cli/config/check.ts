import { type CommandOptions, command } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { readCommandConfig } from './read.ts'

export function configCheck(terminal: Terminal) {
  return command('check', 'Check the configuration without starting anything; exit code 1 when it is not valid', [
    'holdfast config check',
    'holdfast config check --config /etc/holdfast.json5',
  ]).action(async (options: CommandOptions) => {
    const { file } = await readCommandConfig(options, terminal)
    if (options.json === true) return await terminal.printJson({ ok: true, file })
    await terminal.print(file === null ? 'There is no configuration file; the defaults hold.' : `${file} is valid.`)
  })
}
