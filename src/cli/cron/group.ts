import { group } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { cronAdd } from './add.ts'
import { cronList } from './list.ts'
import { cronRemove } from './remove.ts'
import { cronRun } from './run.ts'
import { cronShow } from './show.ts'
import { cronDisable, cronEnable } from './switch.ts'

export function cron(terminal: Terminal) {
  return group('cron', 'Turns that start by the clock: add, list, show, run, enable, disable, remove', [
    cronAdd(terminal),
    cronList(terminal),
    cronShow(terminal),
    cronRun(terminal),
    cronEnable(terminal),
    cronDisable(terminal),
    cronRemove(terminal),
  ])
}
