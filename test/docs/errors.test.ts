import { expect, it } from 'vitest'
import { statusOf, wireCodeOf } from '../../src/http/errors.ts'
import { type ErrorCode, errorCatalog } from '../../src/model/errors.ts'

/** The first code of each group, in the order of the catalog. */
const groups: Partial<Record<ErrorCode, string>> = {
  REQUEST_INVALID: 'What a caller sent',
  JOB_NOT_FOUND: 'Scheduled jobs',
  ARCHIVE_NOT_FOUND: 'Retention, archives and the trash',
  HOME_NOT_FOUND: 'Homes of other gateways',
  FENCED: 'Writers and their fences',
  SUMMARY_NOT_FOUND: 'Summaries',
  STORE_FULL: 'The store',
  MODEL_RATE_LIMITED: 'The model',
  TURN_TIME_LIMIT: 'How a turn can end',
  GATEWAY_CLOSING: 'The gateway',
}

const opening = `# Errors

Every error has a code. Branch on the code: messages are for people and may change. The catalog is closed and is
\`src/model/errors.ts\`; this page is made from it by \`npx vitest run --project unit test/docs -u\`.

Over HTTP an error has OpenAI's shape with more fields:

\`\`\`json
{
  "error": {
    "message": "The session is running or has waiting turns",
    "type": "conflict_error",
    "code": "SESSION_BUSY",
    "param": null,
    "fix": "Retry after \`retryAfterMs\`, or use the queue policy.",
    "facts": {},
    "retry_after_ms": 1000
  }
}
\`\`\`

\`facts\` holds sizes, ids, limits and paths, never what people wrote. \`retry_after_ms\` is null when a retry makes no sense.
The header \`x-should-retry\` tells OpenAI's clients whether to repeat by themselves: it is \`false\` once the message was
accepted, because a repeat would be a second message. On the command line an error is printed with its fix; \`--json\`
prints it as JSON.
`

function page(): string {
  const lines = (Object.keys(errorCatalog) as ErrorCode[]).flatMap((code) => {
    const { title, fix } = errorCatalog[code]
    const heading = groups[code]
    const start =
      heading === undefined
        ? []
        : ['', `## ${heading}`, '', '| code | HTTP | what it means | what to do |', '|---|---|---|---|']
    const onTheWire = wireCodeOf(code) === code ? '' : ` (over HTTP \`${wireCodeOf(code)}\`)`
    return [...start, `| \`${code}\`${onTheWire} | ${statusOf(code)} | ${title} | ${fix} |`]
  })
  return `${opening}${lines.join('\n')}\n`
}

it('docs/errors.md has every code with its status, meaning and fix', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/errors.md')
})
