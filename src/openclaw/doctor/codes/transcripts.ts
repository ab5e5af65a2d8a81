import type { Meaning } from './meaning.ts'

/** What is wrong inside of transcripts. */
export const transcriptCodes = {
  TRANSCRIPT_TORN: {
    severity: 'error',
    title: 'Transcripts whose last line is cut off',
    means: 'What stood in it is lost, and some releases write the next entry onto it and lose that too.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_UNENDED: {
    severity: 'error',
    title: 'Transcripts whose last line does not end',
    means: 'The line is whole. 2026.5 writes the next entry onto it, and both are lost.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_HEADER: {
    severity: 'error',
    title: 'Transcripts without a readable header',
    means: '2026.5 shows the model nothing of the conversation and overwrites the file; newer releases set it aside.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_INVALID: {
    severity: 'error',
    title: 'Transcripts with lines that are no entries',
    means: 'The model is shown the conversation only from there on.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_WELDED: {
    severity: 'error',
    title: 'Transcripts with two entries in one line',
    means: 'Two writers met: neither entry is read, and the gateway deletes the line.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_ZEROS: {
    severity: 'error',
    title: 'Transcripts with zeros where entries should be',
    means: 'A power cut or a full disk left a hole.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_SURROGATE: {
    severity: 'warning',
    title: 'Transcripts with half a character',
    means: 'Some model interfaces refuse it, so that each message fails; newer releases leave it out.',
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
    severity: 'error',
    title: 'Transcripts with lines that are stored twice',
    means:
      'The conversation goes on from where the line stood first; what was said in between is not shown to the model.',
    fix: 'holdfast repair',
  },
  TRANSCRIPT_DUPLICATE_ID: {
    severity: 'error',
    title: 'Transcripts with two entries of one id',
    means: 'With some of them 2026.5 goes in a circle and answers nobody any more.',
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
    fix: 'Begin that conversation anew with `/new`; the old part stays on disk.',
  },
  TRANSCRIPT_OLD: {
    severity: 'note',
    title: 'Transcripts of an old version',
    means: 'Gateways up to 2026.7 bring them up to date by themselves; newer ones only by their own doctor.',
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
