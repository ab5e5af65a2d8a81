import type { Meaning } from './meaning.ts'

/** What stands between people and their sessions: locks, the index, what a start takes up. */
export const sessionCodes = {
  // locks
  LOCK_DEAD: {
    severity: 'error',
    title: 'Locks of processes that have ended',
    means:
      'Messages to these sessions wait for a minute and fail where the gateway cannot tell that the holder is gone.',
    fix: 'holdfast locks clear',
  },
  LOCK_RECYCLED: {
    severity: 'error',
    title: 'Locks whose process id belongs to somebody else by now',
    means: 'The holder has ended and its number was given again, so the lock looks alive and is never taken back.',
    fix: 'holdfast locks clear',
  },
  LOCK_MALFORMED: {
    severity: 'error',
    title: 'Locks that name nobody',
    means: 'Nobody can tell whose they are; a gateway waits for them to grow old.',
    fix: 'holdfast locks clear',
  },
  LOCK_OVERDUE: {
    severity: 'error',
    title: 'Locks held by a live process for longer than it said',
    means:
      'Every message to these sessions waits and fails until the holder lets go. It is alive, so its lock is not taken from it.',
    fix: 'holdfast rescue',
  },
  LOCK_UNKNOWN: {
    severity: 'warning',
    title: 'Old locks whose holder cannot be seen from here',
    means: 'The process may live in a container or belong to another user. Without a proof the lock stays.',
    fix: 'sudo holdfast locks list',
  },
  LOCK_HELD: {
    severity: 'note',
    title: 'Sessions that are locked right now',
    means: 'A gateway at work, within the time that it said.',
    fix: 'holdfast locks list',
  },

  // the index and its entries
  INDEX_EMPTY_OVER_TRANSCRIPTS: {
    severity: 'error',
    title: 'An index with nothing in it over transcripts that are there',
    means: 'Each conversation begins anew with an empty history, although its transcript lies on disk.',
    fix: 'holdfast repair',
  },
  INDEX_UNREADABLE: {
    severity: 'error',
    title: 'An index that cannot be read',
    means: 'The gateway takes it for an empty one and overwrites it at its next write.',
    fix: 'holdfast repair',
  },
  INDEX_DUPLICATES: {
    severity: 'warning',
    title: 'Keys that stand twice in an index',
    means: 'The last of each counts; at the next write the gateway drops the others, and what they were bound to.',
    fix: 'Take the earlier ones out of `sessions.json` with the gateway stopped, if their sessions are not needed.',
  },
  INDEX_LARGE: {
    severity: 'warning',
    title: 'An index over its limit',
    means: 'It is read and written whole: at each change everything waits for it.',
    fix: 'holdfast clean --mode enforce',
  },
  INDEX_BLOAT: {
    severity: 'warning',
    title: 'An index that mostly repeats one field',
    means: 'The same text stands in each entry, and is parsed, copied and written with it.',
    fix: 'holdfast clean --mode enforce',
  },
  INDEX_CROWDED: {
    severity: 'warning',
    title: 'More entries than may stay',
    means: 'Lists, starts and each write of the index take longer with each of them.',
    fix: 'holdfast clean --mode enforce',
  },
  ENTRY_UNSAFE_ID: {
    severity: 'error',
    title: 'Entries that a gateway drops when it loads them',
    means: 'Their conversations lose their history without a word.',
    fix: 'Correct `sessionId` in `sessions.json` with the gateway stopped, or let that conversation begin anew.',
  },
  ENTRY_OUTSIDE: {
    severity: 'error',
    title: 'Entries that name a transcript outside of their directory',
    means: 'A gateway refuses the path and begins anew; nothing here reads it.',
    fix: 'Correct `sessionFile` in `sessions.json` with the gateway stopped, or let that conversation begin anew.',
  },
  ENTRY_MOVED: {
    severity: 'note',
    title: 'Entries that name their transcript at another place',
    means:
      'So it is where the home is seen from outside of its container. After a move the gateway looks there and finds nothing.',
    fix: 'Let the gateway see the home at the place that the entries name.',
  },
  ENTRY_WITHOUT_TRANSCRIPT: {
    severity: 'warning',
    title: 'Entries whose transcript is not there',
    means: 'The next message meets an empty history under the old name.',
    fix: 'holdfast clean --mode enforce',
  },
  TRANSCRIPT_WITHOUT_ENTRY: {
    severity: 'warning',
    title: 'Transcripts that no entry names',
    means: 'Nobody continues them and nobody collects them.',
    fix: 'holdfast clean --mode enforce',
  },
  CRON_RUNS_STALE: {
    severity: 'warning',
    title: 'Sessions of scheduled runs past their time',
    means: 'Each run of a job leaves one; they fill the index.',
    fix: 'holdfast clean --mode enforce',
  },
  SESSIONS_IDLE: {
    severity: 'note',
    title: 'Sessions that nobody has used for long',
    means: 'The next sweep puts them into the archive.',
    fix: 'holdfast clean --mode enforce',
  },

  // what a start would do
  RESUME_BURDEN: {
    severity: 'warning',
    title: 'More sessions to resume than a start should take up',
    means: 'They run before and beside the people who write meanwhile, each for up to ten minutes.',
    fix: 'holdfast prestart',
  },
  RESUME_STALE: {
    severity: 'warning',
    title: 'Sessions that would resume although they are old',
    means: 'The next start goes on with work that nobody waits for any more.',
    fix: 'holdfast prestart',
  },
  RUN_INTERRUPTED: {
    severity: 'warning',
    title: 'Sessions that say they run, while nothing runs them',
    means: 'Somebody was never answered, and their state stays `running` until something settles it.',
    fix: 'holdfast prestart',
  },
  BINDING_STALE: {
    severity: 'warning',
    title: 'Threads bound to a session that has failed or is gone',
    means: 'The next start takes them up again.',
    fix: 'holdfast prestart',
  },
  BINDING_UNREADABLE: {
    severity: 'warning',
    title: 'Lists of bound threads that cannot be read',
    means: 'The gateway takes them for empty: threads lose their sessions.',
    fix: 'Put the file back from a backup, or remove it, with the gateway stopped.',
  },
} as const satisfies Record<string, Meaning>
