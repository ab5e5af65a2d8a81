/** How this very program is started, from anywhere and with an empty environment. Absolute paths. */
export interface Program {
  node: string
  script: string
}

/** The words of `holdfast keep` for these homes. */
export function keepCommand(
  request: { program: Program; homes: string[]; logFile: string; configFile: string | null },
  more: string[],
): string[] {
  const { program, homes, logFile, configFile } = request
  return [
    program.node,
    program.script,
    'keep',
    ...more,
    ...homes.flatMap((home) => ['--home', home]),
    '--log',
    logFile,
    ...(configFile === null ? [] : ['--config', configFile]),
  ]
}

/** The words of `holdfast prestart` for these homes. */
export function prestartCommand(request: { program: Program; homes: string[] }): string[] {
  return [
    request.program.node,
    request.program.script,
    'prestart',
    ...request.homes.flatMap((home) => ['--home', home]),
  ]
}
