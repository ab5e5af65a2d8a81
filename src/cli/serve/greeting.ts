/** Where a gateway is and what it runs on. */
export interface GatewayPlace {
  version: string
  pid: number
  /** `http://127.0.0.1:4747` */
  address: string
  socket: string
  data: string
  /** The address of the database, without secrets; null: SQLite in the data directory. */
  store: string | null
  config: string | null
  model: { name: string; demo: boolean; url: string | null }
  /** The variable that holds the token, when one is needed. */
  tokenEnv: string | null
}

/** What a person sees at the start: where it is, how to try it, how to end it. `spell` makes a command line for this place. */
export function greeting(place: GatewayPlace, spell: (command: string) => string): string {
  const { version, address, data, store, config, model, tokenEnv } = place
  const rows: [string, string][] = [
    ...(store === null ? [] : [['store', store] satisfies [string, string]]),
    ['data', data],
    ['config', config ?? 'the defaults and the command line'],
    [
      'model',
      model.demo
        ? `${model.name}: built in, needs no key, and only says what it heard`
        : `${model.name} at ${model.url}`,
    ],
    ['access', tokenEnv === null ? 'this machine only' : `with the token in $${tokenEnv}`],
  ]
  return [
    `Holdfast ${version} is ready at ${address}`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(6)}  ${value}`),
    '',
    'Try it from a second terminal:',
    `  ${spell('chat')}`,
    ...curlLines(place),
    '',
    ...(model.demo ? [`For a real model: ${spell('serve')} --model-url http://127.0.0.1:11434/v1 --model NAME`] : []),
    'Ctrl-C stops it. Nothing that was acknowledged is lost.',
  ].join('\n')
}

function curlLines({ address, tokenEnv, model }: GatewayPlace): string[] {
  const body = { model: model.name, messages: [{ role: 'user', content: 'Hello' }] }
  const token = tokenEnv === null ? '' : ` -H "authorization: Bearer $${tokenEnv}"`
  return [
    `  curl ${address}/v1/chat/completions -H 'content-type: application/json'${token} \\`,
    `    -H 'x-session-key: alice' -d '${JSON.stringify(body)}'`,
  ]
}
