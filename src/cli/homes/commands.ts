import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'

type Make = (terminal: Terminal) => Command

/** In the order of the help. */
const loads: Readonly<Record<string, () => Promise<Make>>> = {
  doctor: async () => (await import('./doctor.ts')).doctor,
  report: async () => (await import('./report.ts')).report,
  locks: async () => (await import('./locks/group.ts')).locks,
  clean: async () => (await import('./clean.ts')).clean,
  repair: async () => (await import('./repair.ts')).repair,
  prestart: async () => (await import('./prestart.ts')).prestart,
  rescue: async () => (await import('./rescue.ts')).rescue,
  keep: async () => (await import('./keep/keep.ts')).keep,
  install: async () => (await import('./schedule/install.ts')).install,
  uninstall: async () => (await import('./schedule/uninstall.ts')).uninstall,
  undo: async () => (await import('./archives/undo.ts')).undo,
  archive: async () => (await import('./archives/group.ts')).archive,
  import: async () => (await import('./move/import.ts')).importCommand,
  export: async () => (await import('./move/export.ts')).exportCommand,
}

/**
 * The command on homes that is asked for, or all of them where none is: for the help, and for what is misspelt. They are most of
 * the program, and no other command is to wait for them at its start.
 */
export async function homeCommands(asked: string | undefined, terminal: Terminal): Promise<Command[]> {
  const own = asked !== undefined && Object.hasOwn(loads, asked) ? loads[asked] : undefined
  const wanted = own === undefined ? Object.values(loads) : [own]
  return (await Promise.all(wanted.map((load) => load()))).map((make) => make(terminal))
}
