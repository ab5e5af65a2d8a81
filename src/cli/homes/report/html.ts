import { findingCatalog } from '../../../openclaw/doctor/catalog.ts'
import { severities } from '../../../openclaw/doctor/codes/meaning.ts'
import type { Diagnosis } from '../../../openclaw/doctor/diagnosis.ts'
import type { Finding } from '../../../openclaw/doctor/finding.ts'
import { visibleLine } from '../../print/visible.ts'
import { moment } from '../../print/words.ts'
import { exampleLine, gatewayLine, isCommand, tally, totalsRows, whatOf } from '../doctor-lines.ts'
import type { Made } from './made.ts'
import { style } from './style.ts'

/** One file that needs nothing else: no script, no request, light and dark, and prints well. */
export function htmlReport(diagnoses: readonly Diagnosis[], failed: readonly string[], made: Made): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Homes of OpenClaw, ${moment(made.atMs)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Homes of OpenClaw</h1>
<p class="made">Looked at ${moment(made.atMs)} by Holdfast ${escaped(made.holdfast)} (${escaped(made.by)})</p>
</header>
<main>
${[...diagnoses.map(homePart), failedPart(failed)].join('\n')}
</main>
</body>
</html>
`
}

function homePart(diagnosis: Diagnosis): string {
  const rows: [string, string][] = [['gateway', gatewayLine(diagnosis)], ...totalsRows(diagnosis)]
  const { findings, dir } = diagnosis
  const sections = severities.flatMap((severity) => {
    return findings.filter((finding) => finding.severity === severity).map((each) => findingPart(each, dir))
  })
  return `<section class="home">
<h2><code>${escaped(dir)}</code></h2>
<p class="what">${escaped(whatOf(diagnosis))}</p>
<p class="tally">${tallyPart(findings)}</p>
<dl>
${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join('\n')}
</dl>
${sections.join('\n')}
</section>`
}

function tallyPart(findings: readonly Finding[]): string {
  const text = tally(findings)
  if (text === null) return '<span class="badge good">nothing found</span>'
  return text
    .split(', ')
    .map((part) => `<span class="badge ${/error|warning|note/.exec(part)?.[0] ?? ''}">${part}</span>`)
    .join(' ')
}

function findingPart({ code, severity, title, evidence, examples, count, fix }: Finding, dir: string): string {
  const lines = examples.map((example) => `<li>${escaped(exampleLine(example, dir))}</li>`)
  const more = count - examples.length
  if (examples.length > 0 && more > 0) lines.push(`<li class="more">and ${more.toLocaleString('en-US')} more</li>`)
  const list = lines.length === 0 ? '' : `<ul>\n${lines.join('\n')}\n</ul>\n`
  const action = isCommand(fix) ? `<pre><code>${escaped(fix)}</code></pre>` : `<p class="fix">${escaped(fix)}</p>`
  return `<article class="${severity}">
<h3><span class="severity">${severity}</span> ${escaped(title)} <small>${code}</small></h3>
<p><strong>${escaped(evidence)}</strong> ${escaped(findingCatalog[code].means)}</p>
${list}${action}
</article>`
}

function failedPart(failed: readonly string[]): string {
  if (failed.length === 0) return ''
  const items = failed.map((line) => `<li>${escaped(line)}</li>`).join('\n')
  return `<section class="home"><h2>Not looked at</h2>\n<article class="error"><ul>\n${items}\n</ul></article></section>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return visibleLine(text).replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? sign)
}
