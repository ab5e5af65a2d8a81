import { readFileSync } from 'node:fs'
import JSON5 from 'json5'
import { expect, it } from 'vitest'
import { checkConfig } from '../../src/config/read.ts'
import { configJsonSchema } from '../../src/config/schema.ts'

interface Schema {
  type?: string
  description?: string
  default?: unknown
  enum?: string[]
  anyOf?: Schema[]
  items?: Schema
  minimum?: number
  maximum?: number
  properties?: Record<string, Schema>
}

const opening = `# Configuration

\`holdfast serve\` needs none. Settings stand in \`holdfast.json5\` (JSON with comments), which is looked for in the data
directory and then in the working directory; \`--config FILE\` names another. Flags win over the file. The file is
checked as a whole before anything starts, and each problem is one line: the key, what was found, what is allowed.

\`\`\`sh
npx holdfast config check     # is the file valid?
npx holdfast config show      # every setting with its value
npx holdfast config schema    # JSON Schema, for editors
\`\`\`

\`\`\`json5
{
  model: {
    url: 'http://127.0.0.1:11434/v1',   // Ollama; any OpenAI-compatible server
    name: 'llama3.2',
    contextWindow: 8192,
  },
  turns: { timeLimit: '5m', onBusy: 'coalesce' },
  compaction: { model: { name: 'llama3.2:1b' } },
}
\`\`\`

Durations read \`1500ms\`, \`90s\`, \`24h\`, \`30d\`; sizes \`512kb\`, \`10mb\`, \`2gb\` (powers of 1024). Secrets never stand in the
file: a key that ends in \`Env\` names the environment variable that holds one.

The rest of this page is made from \`src/config/schema.ts\` by \`npx vitest run --project unit test/docs -u\`.
`

function page(): string {
  const { properties = {} } = configJsonSchema() as Schema
  const single = Object.entries(properties).filter(([, schema]) => schema.properties === undefined)
  const sections = Object.entries(properties).flatMap(([name, schema]) => sectionsOf(name, schema))
  return `${opening}\n${table('', single)}\n${sections.join('\n')}`
}

function sectionsOf(name: string, schema: Schema): string[] {
  if (schema.properties === undefined) return []
  const leaves = Object.entries(schema.properties).filter(([, each]) => each.properties === undefined)
  const inner = Object.entries(schema.properties).flatMap(([key, each]) => sectionsOf(`${name}.${key}`, each))
  return [`## ${name}\n\n${schema.description}\n\n${table(`${name}.`, leaves)}`, ...inner]
}

function table(prefix: string, leaves: [string, Schema][]): string {
  const rows = leaves.map(([key, schema]) => {
    const standard = schema.default === undefined ? '' : `\`${JSON5.stringify(schema.default, null, 0)}\``
    return `| \`${prefix}${key}\` | ${allowed(schema)} | ${standard} | ${schema.description ?? ''} |`
  })
  return ['| key | value | default | what it does |', '|---|---|---|---|', ...rows, ''].join('\n')
}

function allowed(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((name) => `\`${name}\``).join(', ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(allowed).join(' or ')
  if (schema.type === 'array') return `list of ${allowed(schema.items ?? {})}s`
  if (schema.type === 'integer') return `${inThousands(schema.minimum)} to ${inThousands(schema.maximum)}`
  if (schema.type === 'number') return 'between 0 and 1'
  if (schema.type === 'boolean') return '`true`, `false`'
  if (/^\d+(ms|s|m|h|d)$/.test(String(schema.default))) return 'duration'
  return /^\d+(b|kb|mb|gb)$/.test(String(schema.default)) ? 'size' : 'text'
}

const inThousands = (value: number | undefined): string => (value ?? Number.NaN).toLocaleString('en-US')

it('docs/configuration.md has every key with its default and meaning', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/configuration.md')
})

it('every example of a configuration in the docs is valid', () => {
  const examples = ['configuration.md', 'operations.md', 'http-api.md'].flatMap((name) => {
    const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
    return [...text.matchAll(/```json5\n(.*?)```/gs)].map((match) => match[1] as string)
  })
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) checkConfig(JSON5.parse(example), [], null)
})
