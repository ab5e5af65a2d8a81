/**
 * What a name in a sessions directory means. Source: openclaw's own naming, 2026.2 to 2026.9.
 * `transcript` is one that a session may be bound to; `successor` too, written by a fork or a compaction.
 */
export const fileKinds = [
  'index',
  'index-lock',
  'index-temporary',
  'index-backup',
  'index-side', // `sessions.json.telegram-messages.json` and other files that a channel keeps beside the index
  'transcript',
  'lock',
  'deleted',
  'reset',
  'backup',
  'corrupt',
  'checkpoint',
  'trajectory',
  'trajectory-pointer',
  'stream',
  'prompt',
  'migration',
  'temporary',
  'unknown',
] as const
export type FileKind = (typeof fileKinds)[number]
