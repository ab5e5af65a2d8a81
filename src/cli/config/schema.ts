import { type CommandOptions, command } from '../options.ts'
import type { Terminal } from '../terminal.ts'

export function configSchemaCommand(terminal: Terminal) {
  return command('schema', 'The JSON Schema of holdfast.json5: every key, what is allowed, and its default', [
    'holdfast config schema > holdfast.schema.json',
  ]).action(async (_options: CommandOptions) => {
    const { configJsonSchema } = await import('../../config/schema.ts')
    await terminal.printJson(configJsonSchema())
  })
}
