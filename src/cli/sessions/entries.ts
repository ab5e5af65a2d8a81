import type { Entry } from '../../model/entries.ts'
import { entryHeading, entryText } from '../print/entry.ts'
import type { Terminal } from '../terminal.ts'

const indent = '    '

/** Entries for reading: a heading and the indented text of each, one empty line before each. */
export async function printEntries(terminal: Terminal, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const text = terminal.words(entryText(entry)).split('\n')
    await terminal.print(
      '',
      terminal.paint(styles[entry.kind], entryHeading(entry)),
      ...text.map((line) => indent + line),
    )
  }
}

const styles = { user: 'cyan', assistant: 'green', tool: 'dim', system: 'dim', event: 'yellow' } as const
