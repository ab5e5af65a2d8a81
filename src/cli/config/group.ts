import { group } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { configCheck } from './check.ts'
import { configReload } from './reload.ts'
import { configSchemaCommand } from './schema.ts'
import { configShow } from './show.ts'

export function config(terminal: Terminal) {
  return group('config', 'The configuration: check, show, reload, JSON Schema', [
    configCheck(terminal),
    configShow(terminal),
    configReload(terminal),
    configSchemaCommand(terminal),
  ])
}
