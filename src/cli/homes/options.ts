import type { Command } from 'commander'

/** What every command on homes takes. */
export interface HomeOptions {
  home: string[]
  agent: string[]
  json?: true
  dryRun?: true
}

/** What every command on homes can be told; last in its help, since its own options matter more. */
export function addHomeOptions(each: Command): Command {
  return each
    .option('--home <dir>', 'a home to look after, again for more (default: all that are found)', collect, [])
    .option('--agent <id>', 'only this agent, again for more', collect, [])
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--json', 'print JSON')
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
