/** How this very program is started, from anywhere and with an empty environment. Absolute paths. */
export interface Program {
  node: string
  script: string
}

/** The words of `holdfast keep` for these homes. */
export function keepCommand(
  request: { program: Program; homes: string[]; mode: string | null; logFile: string; configFile: string | null },
  more: string[],
): string[] {
  const { program, homes, mode, logFile, configFile } = request
  return [
    program.node,
    program.script,
    'keep',
    ...more,
    ...homes.flatMap((home) => ['--home', home]),
    ...modeWords(mode),
    '--log',
    logFile,
    ...(configFile === null ? [] : ['--config', configFile]),
  ]
}

/** The words of `holdfast prestart` for these homes. It does what the keeper leaves to it, so both have one mode. */
export function prestartCommand(request: { program: Program; homes: string[]; mode: string | null }): string[] {
  const { program, homes, mode } = request
  return [program.node, program.script, 'prestart', ...homes.flatMap((home) => ['--home', home]), ...modeWords(mode)]
}

function modeWords(mode: string | null): string[] {
  return mode === null ? [] : ['--mode', mode]
}
