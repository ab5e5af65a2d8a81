import { describe, expect, it } from 'vitest'
import { agentFacts, fileOf, healthyAround, healthyFacts, homeDir, lockOf } from '../../../../test/openclaw/facts.ts'
import { diagnosisOf } from '../../../openclaw/doctor/diagnosis.ts'
import { htmlReport } from './html.ts'
import { markdownReport } from './markdown.ts'

const made = { atMs: Date.UTC(2026, 10, 26, 3), holdfast: '0.1.0', by: 'linux x64, Node 24.21.0' }
const hostile = '`</code>```<script>alert(1)</script>\u001b[31m\n# *x* [y](z) "q" \'s\' &amp;.jsonl'
const files = [...agentFacts().files, fileOf(hostile, { bytes: 5 * 1024 ** 2 })]
const locks = [lockOf('a', 'dead', { proof: '<img src=x onerror=alert(1)>' })]
const ill = diagnosisOf(healthyFacts({ agents: [agentFacts({ files, locks })] }), healthyAround(), new Map(), false)
const well = diagnosisOf(healthyFacts(), healthyAround(), new Map(), false)

describe('HTML', () => {
  const text = htmlReport([ill, well], ['<b>/nowhere</b>: nothing is there'], made)

  it('has tags of ours only, whatever stands in names', () => {
    const tags = new Set([...text.matchAll(/<\/?([a-z][\w-]*)/gi)].map(([, tag]) => tag))
    const ours =
      'html head meta title style body header h1 h2 h3 p main section code span dl dt dd article small strong ul li pre'
    expect([...tags].filter((tag) => !ours.split(' ').includes(tag ?? ''))).toEqual([])
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(text).not.toContain('\u001b')
  })
  it('asks nothing of anybody', () => {
    expect(text).not.toMatch(/<[^>]*\s(?:src|href|on\w+)\s*=|url\(|@import/i)
    expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  })
  it('says what is wrong, how bad it is, and what to do', () => {
    expect(text).toContain('<span class="severity">error</span> Locks of processes that have ended')
    expect(text).toContain('<pre><code>holdfast locks clear</code></pre>')
    expect(text).toContain('nothing found')
    expect(text).toContain('&lt;b&gt;/nowhere&lt;/b&gt;')
  })
})

describe('Markdown', () => {
  const text = markdownReport([ill, well], ['*x*: nothing is there'], made)

  it('keeps what names say inside of fences that they cannot end', () => {
    const fences = text.split('\n').filter((line) => /^`{3,}$/.test(line))
    expect(fences.length % 2).toBe(0)
    expect(fences).toContain('````')
    expect(text).not.toContain('\u001b')
    expect(text.split('\n').filter((line) => line.startsWith('# '))).toEqual(['# Homes of OpenClaw'])
  })
  it('escapes what stands outside of them', () => {
    expect(text).toContain('- \\*x\\*: nothing is there')
    expect(text).toContain(`## \`${homeDir}\``)
    expect(text).toMatch(/\| largest|; largest agents\/main/)
  })
})
