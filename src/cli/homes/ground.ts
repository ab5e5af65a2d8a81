import { homedir, tmpdir } from 'node:os'
import { type CommandResult, runCommand } from '../../host/commands.ts'
import { readProcesses } from '../../host/processes/read.ts'
import type { ProcessTable } from '../../host/processes.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { releaseOf } from '../../openclaw/database/release.ts'
import { type GatewayFacts, gatewayFacts } from '../../openclaw/gateway/running.ts'
import { processesOf } from '../../openclaw/gateway/users.ts'
import { findHomes } from '../../openclaw/home/find.ts'
import type { Home } from '../../openclaw/home/home.ts'
import type { HomePolicy, PolicyOverrides } from '../../openclaw/home/policy.ts'
import type { Terminal } from '../terminal.ts'
import type { HomeOptions } from './options.ts'

/** Programs that only tell something are given this long. Unit: ms. */
const timeLimitMs = 15_000
const outputBytesMax = 16 * 1024 ** 2

/**
 * The homes that the command line means, at least one. `overrides` are flags of a command, `defaults` what a configuration of ours says.
 * @throws HoldfastError HOME_NOT_FOUND, HOME_UNREADABLE
 */
export function homesFor(
  options: Pick<HomeOptions, 'home' | 'agent'> & { docker?: true },
  terminal: Terminal,
  policy: { overrides?: PolicyOverrides; defaults?: HomePolicy } = {},
): Promise<Home[]> {
  const { env, cwd } = terminal.outside
  const asked = { homes: options.home, docker: options.docker === true, agents: options.agent }
  return findHomes(asked, {
    env,
    cwd,
    userDir: userDirOf(terminal),
    run: runCommand,
    versionOf: async (path) => releaseOf(path),
    ...policy,
  })
}

/** Of the user that we run as. */
export function userDirOf(terminal: Terminal): string {
  return terminal.outside.env.HOME || homedir()
}

/** Runs a program of this machine in the environment of this command, without a shell. @throws HoldfastError COMMAND_MISSING */
export function runHere(terminal: Terminal, words: readonly string[], limitMs = timeLimitMs): Promise<CommandResult> {
  const [file = '', ...args] = words
  const { env, cwd } = terminal.outside
  return runCommand(file, args, { timeLimitMs: limitMs, outputBytesMax, env, cwd })
}

/** All processes that can be seen from here, as they are now. */
export function processesFor(terminal: Terminal): Promise<ProcessTable> {
  const { env, cwd } = terminal.outside
  return readProcesses(async (program, args, variables) => {
    const limits = { timeLimitMs, outputBytesMax, env: { ...env, ...variables }, cwd }
    try {
      const { code, stdout } = await runCommand(program, args, limits)
      return code === 0 ? stdout : null
    } catch (error) {
      if (isHoldfastError(error, 'COMMAND_MISSING')) return null
      throw error
    }
  })
}

/** What looking at a home, and working on it, takes from this machine. */
export function outsideFor(home: Home, terminal: Terminal) {
  const { clock } = terminal.outside
  return {
    clock,
    nowMs: () => clock.nowMs(),
    readProcesses: () => processesFor(terminal),
    /** Where gateways make lock files of their own. */
    temporary: [tmpdir()],
    gatewayNow: () => gatewayFor(home, terminal),
  }
}

/** Whether a gateway works on the home now. */
export async function gatewayFor(home: Home, terminal: Terminal): Promise<GatewayFacts> {
  return await gatewayFacts(home, processesOf(home, await processesFor(terminal)), [tmpdir()])
}
