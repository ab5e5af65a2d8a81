import type { Meaning } from './meaning.ts'

/** What stands beside the files: databases, and what runs by itself. */
export const standingCodes = {
  // databases
  DATABASE_UNREADABLE: {
    severity: 'error',
    title: 'A database that cannot be read',
    means: 'All conversations of the agent are in it.',
    fix: 'openclaw doctor --session-sqlite inspect',
  },
  DATABASE_DAMAGED: {
    severity: 'error',
    title: 'A database that is damaged',
    means: 'SQLite itself says that pages or indexes do not fit together.',
    fix: 'openclaw doctor --session-sqlite recover',
  },
  DATABASE_UNKNOWN: {
    severity: 'warning',
    title: 'A database of a schema that is not known here',
    means: 'Nothing was looked at in it; it may be newer than this Holdfast.',
    fix: 'Use a Holdfast that names this release.',
  },
  DATABASE_BUSY: {
    severity: 'note',
    title: 'A database that changes while it is read',
    means: 'A gateway has just begun. Nothing was looked at in it.',
    fix: 'holdfast doctor',
  },
  DATABASE_WAL: {
    severity: 'warning',
    title: 'A write-ahead log that does not shrink',
    means: 'Reads search it each time, and a start replays it: something holds it open.',
    fix: 'openclaw doctor --session-sqlite compact',
  },
  DATABASE_FREE: {
    severity: 'warning',
    title: 'A database that is mostly free space',
    means: 'The file stays as large as it once was.',
    fix: 'openclaw doctor --session-sqlite compact',
  },
  DATABASE_BLOAT: {
    severity: 'warning',
    title: 'Entries with large repeated fields',
    means: 'Each write parses and stores the whole entry.',
    fix: 'openclaw sessions cleanup --enforce',
  },
  DATABASE_LARGE_ROWS: {
    severity: 'warning',
    title: 'Enormous rows in a database',
    means: 'Mostly pictures stored as text: each reading of the conversation decodes them again.',
    fix: 'Start those conversations anew with `/new`.',
  },
  DATABASE_CRON_STALE: {
    severity: 'warning',
    title: 'Scheduled runs past their time in the database',
    means: 'Each run of a job leaves a session; they fill the database.',
    fix: 'openclaw sessions cleanup --enforce',
  },

  // what runs by itself
  SCHEDULE_ABSENT: {
    severity: 'note',
    title: 'Nothing looks after this home by itself',
    means: 'What is cleaned today grows again until somebody looks.',
    fix: 'holdfast install --systemd',
  },
  SCHEDULE_ELSEWHERE: {
    severity: 'warning',
    title: 'A schedule for a directory that is not there',
    means: 'It runs, finds nothing, and nobody notices.',
    fix: 'holdfast install --systemd',
  },
  SCHEDULE_BROKEN: {
    severity: 'warning',
    title: 'A schedule that cannot start',
    means: 'The program that it names is not there, or the system does not start it.',
    fix: 'holdfast install --systemd',
  },
  SCHEDULE_LOG: {
    severity: 'warning',
    title: 'A schedule whose log cannot be written',
    means: 'It fails at its start, or what it did is told to nobody.',
    fix: 'holdfast install --systemd',
  },
  SCHEDULE_UNKNOWN: {
    severity: 'note',
    title: 'Schedules that could not be looked at',
    means: 'Something may be installed there.',
    fix: 'Run as the user whose schedule it is.',
  },
} as const satisfies Record<string, Meaning>
