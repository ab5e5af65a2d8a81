import { Option } from 'commander'
import type { Flag } from '../../config/read.ts'
import { readCommandConfig } from '../config/read.ts'
import { type CommandOptions, command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import type { Terminal } from '../terminal.ts'
import type { Gateway } from './gateway.ts'
import { greeting } from './greeting.ts'
import { listenForHangup } from './hangup.ts'
import { listenForStop } from './stop.ts'

interface ServeOptions extends CommandOptions {
  host?: string
  port?: string
  modelUrl?: string
  model?: string
  apiKeyEnv?: string
  contextWindow?: string
  tokenEnv?: string
  advertise?: string
  logLevel?: string
}

export function serve(terminal: Terminal) {
  return command('serve', 'Run the gateway until Ctrl-C', [
    'holdfast serve',
    'holdfast serve --model-url http://127.0.0.1:11434/v1 --model qwen3:8b --context-window 32768',
    'holdfast serve --model-url https://api.example.com/v1 --model NAME --api-key-env MODEL_API_KEY',
    'holdfast serve --store postgres://gateway@db.example.org/agents --data /srv/holdfast',
    'holdfast serve --host 0.0.0.0 --token-env HOLDFAST_TOKEN --data /srv/holdfast',
  ])
    .option('--host <address>', 'where to listen (default: 127.0.0.1)')
    .option('--port <number>', 'the port; 0 takes a free one (default: 4747)')
    .option('--model-url <url>', 'an OpenAI-compatible server (default: the built-in demo model)')
    .option('--model <name>', 'the model to ask there')
    .option('--api-key-env <name>', 'the environment variable that holds its API key')
    .option('--context-window <tokens>', 'what the model can take, answer included')
    .option('--advertise <url>', 'where other gateways on the same store reach this one')
    .option('--token-env <name>', 'the environment variable that holds the token clients must send')
    .addOption(new Option('--log-level <level>', 'what is logged to stderr').choices(logLevels))
    .action(async (options: ServeOptions) => {
      using stop = listenForStop(terminal.outside)
      using hangups = listenForHangup(terminal)
      const config = await readCommandConfig(options, terminal, flagsOf(options))
      // the same file: one that is gone is an error then, and not the defaults
      const same = config.file === null ? options : { ...options, config: config.file }
      const reread = () => readCommandConfig(same, terminal, flagsOf(options))
      const { startGateway } = await import('./gateway.ts') // the database, HTTP and the model: only here
      const gateway = await startGateway(config, terminal.outside, reread)
      hangups.answerWith(gateway.reload)
      if (options.json === true) await terminal.print(JSON.stringify(gateway.place))
      else await terminal.print(greeting(gateway.place, spellerOf(options, terminal)))
      await stop.asked
      await end(gateway, stop.forced, terminal)
    })
}

/** Command lines that do what they say when they are typed where this one was: `npx` sets the variable. */
function spellerOf({ data }: ServeOptions, { outside }: Terminal): (command: string) => string {
  const program = outside.env.npm_command === 'exec' ? 'npx holdfast' : 'holdfast'
  return (command) => `${program} ${command}${data === undefined ? '' : ` --data ${data}`}`
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent']

/** What runs may finish until the limit; who asks twice does not wait for it. */
async function end(gateway: Gateway, forced: Promise<void>, terminal: Terminal): Promise<void> {
  terminal.note('Stopping: turns that run may finish. The same signal again ends them at once.')
  const closed = gateway.close(gateway.config().shutdown.drain).then(() => 'closed' as const)
  const ended = await Promise.race([closed, forced.then(() => 'forced' as const)])
  if (ended === 'closed') return terminal.note('Stopped.')
  terminal.exitCode = exitCodes.failed
  terminal.note('Stopped at once. Turns that ran are run again at the next start.')
  closed.catch(() => {}) // the process ends now; what is on disk is whole
}

function flagsOf(options: ServeOptions): Flag[] {
  const flags: [string, string, string | undefined][] = [
    ['server.host', '--host', options.host],
    ['server.port', '--port', options.port],
    ['server.tokenEnv', '--token-env', options.tokenEnv],
    ['model.url', '--model-url', options.modelUrl],
    ['model.name', '--model', options.model],
    ['model.apiKeyEnv', '--api-key-env', options.apiKeyEnv],
    ['model.contextWindow', '--context-window', options.contextWindow],
    ['cluster.advertise', '--advertise', options.advertise],
    ['log.level', '--log-level', options.logLevel],
  ]
  return flags.flatMap(([key, flag, value]) => (value === undefined ? [] : [{ key, flag, value }]))
}
