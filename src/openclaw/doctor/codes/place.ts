import type { Meaning } from './meaning.ts'

/** What is left lying about, and where the home lies. */
export const placeCodes = {
  // what is left lying about
  LEFTOVERS: {
    severity: 'warning',
    title: 'Files that resets, deletions and repairs have left',
    means: 'No gateway of this generation collects all of them; they grow without bound.',
    fix: 'holdfast clean --mode enforce',
  },
  TEMPORARIES: {
    severity: 'warning',
    title: 'Temporary files of writes that were never finished',
    means: 'A process ended in the middle of a write. Nothing reads them again.',
    fix: 'holdfast clean --mode enforce',
  },
  DISK_BUDGET: {
    severity: 'warning',
    title: 'Sessions over their disk budget',
    means: 'The home itself says how much they may take.',
    fix: 'holdfast clean --mode enforce',
  },
  ODD_FILES: {
    severity: 'warning',
    title: 'Links, pipes and directories among the sessions',
    means: 'They are not read: what they lead to is not part of the home.',
    fix: 'Look at what is named; move it away if you did not put it there.',
  },
  FILES_LINKED: {
    severity: 'note',
    title: 'Files that have a second name elsewhere',
    means: 'A change through either name changes both, and a migration to SQLite refuses them.',
    fix: 'Replace the hard link by a copy.',
  },
  LEGACY_ROOT: {
    severity: 'note',
    title: 'Sessions where older releases kept them',
    means: 'Newer releases do not look there.',
    fix: 'openclaw doctor --fix',
  },
  MIGRATION_UNFINISHED: {
    severity: 'warning',
    title: 'A home with files and databases',
    means: 'A gateway that keeps sessions in SQLite refuses to start while it finds sessions in files.',
    fix: 'openclaw doctor --fix',
  },
  ARCHIVE_UNFINISHED: {
    severity: 'warning',
    title: 'Runs of Holdfast that were stopped on the way',
    means: 'Nothing is lost: each step was announced. They are finished or taken back by the next run.',
    fix: 'holdfast doctor --fix',
  },
  ARCHIVE_UNREADABLE: {
    severity: 'error',
    title: 'An archive that cannot be read',
    means: 'What was put away cannot be brought back, and nothing more can be put away.',
    fix: 'Correct what is named, or run as the user that owns it.',
  },

  // the place
  PLACE_UNREADABLE: {
    severity: 'error',
    title: 'Parts of the home that could not be looked at',
    means: 'Nothing is known about them; they are not taken for empty.',
    fix: 'Run as the user that owns them, or correct what is named.',
  },
  CONFIG_UNREADABLE: {
    severity: 'error',
    title: 'A configuration that cannot be read',
    means: 'The gateway does not start with it, and nothing is cleaned by rules that are not known.',
    fix: 'Correct `openclaw.json` where the reason says.',
  },
  DISK_FULL: {
    severity: 'error',
    title: 'The disk is full',
    means: 'The next write may be cut off in the middle: of an index or of a transcript.',
    fix: 'holdfast clean --mode enforce',
  },
  DISK_LOW: {
    severity: 'warning',
    title: 'Little room on the disk',
    means: 'At this rate writes will fail.',
    fix: 'holdfast clean --mode enforce',
  },
  FILESYSTEM_UNTRUSTED: {
    severity: 'warning',
    title: 'A file system whose locks cannot be relied on',
    means: 'Two writers can meet there; databases can be damaged.',
    fix: 'Move the home to a local disk.',
  },
  FILESYSTEM_MEMORY: {
    severity: 'warning',
    title: 'A home in memory',
    means: 'After the next boot every conversation is gone.',
    fix: 'Move the home to a disk.',
  },
  CLOUD_SYNCED: {
    severity: 'warning',
    title: 'A home in a folder that is copied to the cloud',
    means: 'The copying program holds, renames and brings back files while the gateway writes them.',
    fix: 'Move the home out of that folder.',
  },
  MODE_OPEN: {
    severity: 'warning',
    title: 'Files that others on this machine can read',
    means: 'Conversations or secrets are open to each user of the host.',
    fix: 'chmod o-rwx {dir}',
  },
  MODE_WRITABLE: {
    severity: 'error',
    title: 'Files that others on this machine can change',
    means: 'Anybody on the host can put words into a conversation, or a link into its place.',
    fix: 'chmod o-rwx {dir}',
  },
  OWNER_OTHER: {
    severity: 'error',
    title: 'Files that belong to another user than the home',
    means: 'The gateway may be unable to write them: often a command was once run as root.',
    fix: 'sudo chown -R {owner} {dir}',
  },
  CLOCK_SUSPECT: {
    severity: 'warning',
    title: 'A clock that files contradict',
    means:
      'With a wrong clock everything looks old, or nothing does: what depends on age is not done until somebody has looked.',
    fix: 'Look at the clock. If it is right: `holdfast clean --mode enforce --trust-clock`.',
  },
  GATEWAY_UNKNOWN: {
    severity: 'note',
    title: 'Whether a gateway runs cannot be told',
    means: 'Everything is done as if one did: only what it has let go of is touched.',
    fix: 'sudo holdfast doctor',
  },
  HOMES_SEVERAL: {
    severity: 'note',
    title: 'More state directories of the same user',
    means: 'A gateway that is started with another one seems to have forgotten everything.',
    fix: 'Set OPENCLAW_STATE_DIR where the gateway is started.',
  },
} as const satisfies Record<string, Meaning>
