import type { Command } from 'commander'

/** What every command on homes takes. */
export interface HomeOptions {
  home: string[]
  agent: string[]
  json?: true
  dryRun?: true
}

const homeCommands = new WeakSet<Command>()

/** What every command on homes can be told, in place of `addSameOptions`; last in its help, since its own options matter more. */
export function addHomeOptions(each: Command): Command {
  homeCommands.add(each)
  return each
    .hook('preAction', () => {
      // help would show an empty list as a default
      for (const name of ['home', 'agent']) if (each.getOptionValue(name) === undefined) each.setOptionValue(name, [])
    })
    .option('--home <dir>', 'a home to look after, again for more (default: all that are found)', collect)
    .option('--agent <id>', 'only this agent, again for more', collect)
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--json', 'print JSON')
}

/** The same for a command on what was done to homes before: an agent says nothing there, nor does a dry run where nothing is changed. */
export function addArchiveOptions(each: Command, changes: boolean): Command {
  homeCommands.add(each)
  each.hook('preAction', () => {
    if (each.getOptionValue('home') === undefined) each.setOptionValue('home', [])
    each.setOptionValue('agent', [])
  })
  each.option('--home <dir>', 'a home to look in, again for more (default: all that are found)', collect)
  if (changes) each.option('--dry-run', 'show what would be done, and do nothing')
  return each.option('--json', 'print JSON')
}

/** It looks after homes, and has nothing to do with a data directory of Holdfast's own. */
export function isHomeCommand(each: Command): boolean {
  return homeCommands.has(each)
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}
