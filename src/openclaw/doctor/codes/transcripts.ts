import type { Meaning } from './meaning.ts'

/** What is wrong inside of transcripts. */
export const transcriptCodes = {
  TRANSCRIPT_TORN: {
    severity: 'error',
    title: 'Transcripts whose last line is cut off',
    means: 'The next line is written onto the torn one, and both are lost.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_UNENDED: {
    severity: 'warning',
    title: 'Transcripts whose last line does not end',
    means: 'The line is whole. Some releases write the next one onto it.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_HEADER: {
    severity: 'error',
    title: 'Transcripts without a readable header',
    means: 'A gateway refuses the file or begins anew over it.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_INVALID: {
    severity: 'error',
    title: 'Transcripts with lines that are no entries',
    means: 'What such a line held is gone for the model, and what follows may be cut off from what precedes.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_WELDED: {
    severity: 'error',
    title: 'Transcripts with two entries in one line',
    means: 'Two writers met: neither of the two entries is read.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_ZEROS: {
    severity: 'error',
    title: 'Transcripts with zeros where entries should be',
    means: 'A power cut or a full disk left a hole.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_SURROGATE: {
    severity: 'error',
    title: 'Transcripts with half a character',
    means: 'Model interfaces refuse it: each message to the session fails for ever.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_CHAIN: {
    severity: 'error',
    title: 'Transcripts with entries whose parent is not there',
    means: 'The model is shown the conversation only back to the break.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_NO_ID: {
    severity: 'error',
    title: 'Transcripts with entries that have no id',
    means: 'Whatever follows such an entry loses what was said before.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_DUPLICATE_LINE: {
    severity: 'warning',
    title: 'Transcripts with lines that are stored twice',
    means: 'A write was repeated. The model is shown both.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_DUPLICATE_ID: {
    severity: 'warning',
    title: 'Transcripts with two entries of one id',
    means: 'Which of the two is continued depends on the reader.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_ENCODING: {
    severity: 'warning',
    title: 'Transcripts with bytes that are no UTF-8',
    means: 'Those characters are shown as replacement signs.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_LONG_LINE: {
    severity: 'warning',
    title: 'Transcripts with enormous lines',
    means: 'Mostly pictures stored as text: each turn parses them again.',
    fix: 'holdfast clean --mode enforce',
  },
  TRANSCRIPT_OLD: {
    severity: 'warning',
    title: 'Transcripts of an old version',
    means: 'Newer gateways refuse them until their own doctor has migrated them.',
    fix: 'openclaw doctor --fix',
  },
  TRANSCRIPT_LARGE: {
    severity: 'warning',
    title: 'Transcripts with more text than any model is shown',
    means: 'The file is read whole at each turn; memory and waits grow with it.',
    fix: 'Send `/compact` in that conversation, or begin anew with `/new`.',
  },
  TRANSCRIPT_UNREADABLE: {
    severity: 'error',
    title: 'Transcripts that could not be read',
    means: 'What cannot be read here is often unreadable for the gateway too.',
    fix: 'Correct what is named, or run as the user that owns them.',
  },
  TRANSCRIPT_DUPLICATE_REPLY: {
    severity: 'note',
    title: 'Replies that are stored twice',
    means: 'Some releases write each reply two times; the model is shown both and they are paid for.',
    fix: 'holdfast repair',
  },
} as const satisfies Record<string, Meaning>
