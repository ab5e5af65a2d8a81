// The official client against a running gateway: npx holdfast serve, then node examples/openai-client.mjs
import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: process.env.HOLDFAST_URL ?? 'http://127.0.0.1:4747/v1',
  apiKey: process.env.HOLDFAST_TOKEN ?? 'not needed on this machine',
  defaultHeaders: { 'x-session-key': 'example' },
})

const first = await client.chat.completions.create({
  model: 'holdfast',
  messages: [{ role: 'user', content: 'My dog is called Rex.' }],
})
console.log(first.choices[0]?.message.content)

// Only what is new is sent: the session has the rest.
const stream = await client.chat.completions.create(
  { model: 'holdfast', stream: true, messages: [{ role: 'user', content: 'What is my dog called?' }] },
  { headers: { 'idempotency-key': `example-${Date.now()}` } }, // a repeat would be the same turn
)
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
process.stdout.write('\n')
