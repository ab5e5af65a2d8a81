import { scanTranscript } from '../../../src/openclaw/transcripts/scan.ts'

/** Reads a transcript and says what it found, and how much memory that took at most. */
const [root = '', path = ''] = process.argv.slice(2)
const facts = await scanTranscript(root, path)
console.log(JSON.stringify({ facts, peakBytes: process.resourceUsage().maxRSS * 1024 }))
