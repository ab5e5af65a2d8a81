import { Command, type CommanderError } from 'commander'
import { packageVersion } from '../host/version.ts'
import { chat } from './chat/chat.ts'
import { config } from './config/group.ts'
import { cron } from './cron/group.ts'
import { exitCodeOf, isHelp, printFailure, usageErrorOf } from './failure.ts'
import { homeCommands } from './homes/commands.ts'
import { isHomeCommand } from './homes/options.ts'
import { leases } from './leases/group.ts'
import { addSameOptions, takesSameOptions } from './options.ts'
import { exitCodes, type Outside } from './outside.ts'
import { quarantine } from './recovery/quarantine.ts'
import { recover } from './recovery/recover.ts'
import { retain } from './retention/retain.ts'
import { trash } from './retention/trash.ts'
import { serve } from './serve/serve.ts'
import { sessions } from './sessions/group.ts'
import { backup } from './store/backup.ts'
import { copy } from './store/copy.ts'
import { migrate } from './store/migrate.ts'
import { verify } from './store/verify.ts'
import { compact } from './summaries/compact.ts'
import { summaries } from './summaries/group.ts'
import { Terminal } from './terminal.ts'
import { turns } from './turns/group.ts'
import { lanes } from './watch/lanes.ts'
import { status } from './watch/status.ts'
import { why } from './watch/why.ts'

/** The whole program. Gives its exit code; throws nothing, and never ends the process. */
export async function run(argv: readonly string[], outside: Outside): Promise<number> {
  const terminal = new Terminal(outside)
  const program = await programOf(argv, terminal)
  let acting = program
  program.hook('preAction', (_, each) => {
    acting = each
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return terminal.exitCode
  } catch (error) {
    if (isHelp(error)) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const form = { json: argv.includes('--json'), withStack: asksForDebug(argv), command: pathOf(acting) }
    printFailure(error, outside, form)
    return exitCodeOf(error)
  }
}

async function programOf(argv: readonly string[], terminal: Terminal): Promise<Command> {
  const { stdout, stderr } = terminal.outside
  const program = new Command('holdfast')
    .description('Keeps conversations of AI agents, and always answers the next message.')
    .version(packageVersion(), '--version', 'print the version')
    .addHelpText('after', firstSteps)
  program.commandsGroup('Run and talk:')
  program.addCommand(serve(terminal)).addCommand(chat(terminal)).addCommand(cron(terminal))
  program.commandsGroup('Look:')
  program.addCommand(status(terminal)).addCommand(sessions(terminal)).addCommand(turns(terminal))
  program.addCommand(why(terminal)).addCommand(lanes(terminal)).addCommand(leases(terminal))
  program.commandsGroup(lookAfter)
  program.addCommand(compact(terminal)).addCommand(summaries(terminal)).addCommand(backup(terminal))
  program.addCommand(recover(terminal)).addCommand(quarantine(terminal))
  program.addCommand(retain(terminal)).addCommand(trash(terminal))
  program.addCommand(verify(terminal)).addCommand(migrate(terminal))
  program.addCommand(copy(terminal)).addCommand(config(terminal))
  const asked = argv.find((word) => !word.startsWith('-'))
  if (!program.commands.some((each) => each.name() === asked)) {
    program.commandsGroup('Homes of OpenClaw:')
    for (const each of await homeCommands(asked, terminal)) program.addCommand(each)
  }
  program.addHelpCommand(
    new Command('help').argument('[command]').description('print this, or what a command takes').helpGroup(lookAfter),
  )
  for (const each of allCommands(program)) {
    if (takesSameOptions(each) && !isHomeCommand(each)) addSameOptions(each)
    each
      .exitOverride((error) => refuse(error, each))
      .configureOutput({
        writeOut: (text) => stdout.write(text),
        writeErr: (text) => stderr.write(text),
        outputError: () => {}, // `run` prints it, in the form of all errors
        getOutHelpWidth: () => stdout.columns ?? 100,
        getErrHelpWidth: () => stderr.columns ?? 100,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
  }
  return program
}

/** Commander would end the process here. */
function refuse(error: CommanderError, each: Command): never {
  if (isHelp(error)) throw error
  throw usageErrorOf(error, pathOf(each))
}

function pathOf(each: Command): string {
  return each.parent === null ? each.name() : `${pathOf(each.parent)} ${each.name()}`
}

/** Stack traces are for those who ask for them. */
export function asksForDebug(argv: readonly string[]): boolean {
  return argv.includes('--log-level=debug') || argv[argv.indexOf('--log-level') + 1] === 'debug'
}

function allCommands(top: Command): Command[] {
  return [top, ...top.commands.flatMap(allCommands)]
}

const lookAfter = 'Look after:'

const firstSteps = `
First steps:
  $ holdfast serve                          a gateway with a demo model
  $ holdfast chat                           talk to it, in a second terminal
  $ holdfast serve --model-url http://127.0.0.1:11434/v1 --model NAME

Exit codes: 0 all well, 1 a problem was found or something failed, 2 the command line is not valid.`
