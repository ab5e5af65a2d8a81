import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { findingCatalog } from '../../src/openclaw/doctor/catalog.ts'
import { placeCodes } from '../../src/openclaw/doctor/codes/place.ts'
import { sessionCodes } from '../../src/openclaw/doctor/codes/sessions.ts'
import { standingCodes } from '../../src/openclaw/doctor/codes/standing.ts'
import { transcriptCodes } from '../../src/openclaw/doctor/codes/transcripts.ts'

const url = new URL('../../docs/homes.md', import.meta.url)
const begin = '<!-- findings -->'
const end = '<!-- end of findings -->'

const groups: [string, object][] = [
  ['Locks, indexes, and what a start takes up', sessionCodes],
  ['Transcripts', transcriptCodes],
  ['What is left lying about, and where the home lies', placeCodes],
  ['Databases, and what runs by itself', standingCodes],
]

/** The page as it is, with the catalog made from the source. */
function page(): string {
  const text = readFileSync(url, 'utf8')
  const [before = '', rest = ''] = text.split(begin)
  const [, after = ''] = rest.split(end)
  const parts = groups.map(([heading, codes]) =>
    [
      `**${heading}**`,
      '',
      '| code | | what | why it matters | what to do |',
      '|---|---|---|---|---|',
      ...(Object.keys(codes) as (keyof typeof findingCatalog)[]).map((code) => {
        const { severity, title, means, fix } = findingCatalog[code]
        return `| \`${code}\` | ${severity} | ${title} | ${means} | ${fixText(fix)} |`
      }),
    ].join('\n'),
  )
  return `${before}${begin}\n\n${parts.join('\n\n')}\n\n${end}${after}`
}

function fixText(fix: string): string {
  const filled = fix.replace('{dir}', 'DIR').replace('{owner}', 'USER')
  return /^(?:sudo |holdfast |openclaw |chmod )/.test(filled) ? `\`${filled}\`` : filled
}

it('docs/homes.md has every finding; made from the source by `npx vitest run --project unit test/docs -u`', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/homes.md')
})

it('each finding is in one group of the page', () => {
  const listed = groups.flatMap(([, codes]) => Object.keys(codes))
  expect(listed.toSorted()).toEqual(Object.keys(findingCatalog).toSorted())
})
