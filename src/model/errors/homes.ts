/** What can go wrong with homes of other gateways: a part of the one catalog. */
export const homeErrors = {
  HOME_NOT_FOUND: {
    title: 'There is no OpenClaw home here',
    fix: 'Name it with `--home DIR`: the directory that holds `openclaw.json` and `agents/`.',
  },
  HOME_UNREADABLE: {
    title: 'The home cannot be read',
    fix: 'Nothing was changed. Run as the user that owns it, or correct what `because` names.',
  },
  HOME_READ_ONLY: {
    title: 'The home cannot be written',
    fix: 'This step was not done. Run as the user that owns it, or correct what `because` names.',
  },
  HOME_GENERATION: {
    title: 'Homes of this generation or schema are not known here',
    fix: "Nothing was changed. Use a Holdfast that names this release, or the gateway's own commands.",
  },
  HOME_UNSAFE: {
    title: 'A file of the home is not what it should be',
    fix: 'Nothing was changed. Look at what `because` names: a link, a pipe or a path that leads out of the home.',
  },
  HOME_CHANGED: {
    title: 'The file has changed since it was looked at',
    fix: 'Nothing was changed. Run the command again; if a gateway runs, it is at work there.',
  },
  HOME_BUSY: {
    title: 'A gateway or another Holdfast works on this home',
    fix: 'Wait for it, stop it, or leave the rest to `holdfast prestart`.',
  },
  HOME_CONFIG_INVALID: {
    title: 'The configuration of the home cannot be read',
    fix: 'Correct `openclaw.json` where `because` says. Until then nothing is cleaned by its rules.',
  },
  INDEX_UNREADABLE: {
    title: 'The index of the sessions is not readable',
    fix: 'It is left as it is. `holdfast repair` makes a new one from transcripts and backups.',
  },
  REPAIR_REFUSED: {
    title: 'The repair would have lost an entry, so it was not made',
    fix: 'Nothing was changed. Keep the file, and tell us what `because` says.',
  },
  MANIFEST_INVALID: {
    title: 'The manifest is not one of ours, or is damaged',
    fix: 'Nothing was changed. List what can be undone with `holdfast archive list`.',
  },
  UNDO_CONFLICT: {
    title: 'What is to be put back has been changed since',
    fix: 'Those files were left alone; `because` names the first. Compare by hand with `holdfast archive show`.',
  },
  KEEPER_RUNNING: { title: 'A keeper looks after this home already', fix: 'See `holdfast keep --status`.' },
  COMMAND_MISSING: { title: 'A program was not found', fix: 'Install what `because` names, or put it on the PATH.' },
  COMMAND_FAILED: { title: 'A program failed', fix: 'Run it by hand: `because` says which, and what it said.' },
  OPENCLAW_MISSING: {
    title: 'The command of the gateway was not found',
    fix: 'Name it with `--openclaw PATH`, or run this on the host where it is installed.',
  },
  OPENCLAW_FAILED: { title: 'The command of the gateway failed', fix: 'Run it by hand: `because` says which.' },
  SCHEDULE_FAILED: {
    title: 'The schedule could not be installed',
    fix: 'See what `because` names; nothing is half done.',
  },
  ALERT_FAILED: {
    title: 'The alert could not be delivered',
    fix: 'Check `homes.alerts`; the log has the alert itself.',
  },
  IMPORT_MISMATCH: {
    title: 'What was imported is not what was read',
    fix: 'Nothing was removed from the home. Keep the report and tell us what `because` names.',
  },
} as const
