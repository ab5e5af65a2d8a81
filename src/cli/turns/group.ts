import { group } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { turnsCancel } from './cancel.ts'
import { turnsList } from './list.ts'
import { turnsShow } from './show.ts'

export function turns(terminal: Terminal) {
  return group('turns', 'Messages and their answers: list, show, cancel', [
    turnsList(terminal),
    turnsShow(terminal),
    turnsCancel(terminal),
  ])
}
