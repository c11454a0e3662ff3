import type { HostReader } from '../../../engine/host.ts';
import { readableText } from '../../../resources/file-text.ts';
import { dropInFlags } from './flags.ts';
import { foreignUnit } from './foreign-unit.ts';
import { configFlags, type GivenFlag, unitFlags } from './given-flags.ts';
import { dropInStart, inlineVariables, type UnitFile, type UnitPlace, variableFlags } from './unit-flags.ts';

/** A start of K3s' unit with a configuration file of these flags. */
export interface StartPlace extends UnitPlace {
  readonly config: readonly GivenFlag[];
  /** The unit of another program, if that is started. */
  readonly foreign?: UnitFile | undefined;
}

/**
 * Returns all flags of a start: variables, the configuration file, the operator's drop-ins, and the command line of a
 * drop-in of the unit or of another program's unit; `mergedFlags` makes the effective ones of them.
 */
export async function startFlags(host: HostReader, start: StartPlace): Promise<readonly GivenFlag[]> {
  const { config, foreign, paths } = start;
  return [
    ...(foreign ? inlineVariables(foreign) : []),
    ...(await variableFlags(host, start)),
    ...config,
    ...(await dropInFlags(host, paths)),
    ...((await dropInStart(host, start)) ?? (foreign ? unitFlags(foreign.text, foreign.path) : [])),
  ];
}

/** Returns the flags of a start by the files on disk now, those of another program included. */
export async function presentFlags(host: HostReader, at: UnitPlace): Promise<readonly GivenFlag[]> {
  const path = at.paths.k3s.config;
  const config = configFlags(await readableText(host, path), path);
  return startFlags(host, { ...at, config, foreign: await foreignUnit(host, at) });
}
