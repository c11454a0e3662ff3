import type { HostReader } from '../../../engine/host.ts';
import { readableText } from '../../../resources/file-text.ts';
import { dropInFlags } from './flags.ts';
import { foreignUnit } from './foreign-unit.ts';
import { configFlags, type GivenFlag, unitFlags } from './given-flags.ts';
import { dropInStart, inlineVariables, type UnitFile, type UnitPlace, variableFlags } from './unit-flags.ts';

/** A start of K3s: its unit, and the flags in the configuration file of K3s. */
export interface StartPlace extends UnitPlace {
  readonly config: readonly GivenFlag[];
  /** Another program's unit, if that unit starts K3s. */
  readonly foreign?: UnitFile | undefined;
}

/**
 * Returns all flags of a start, in ascending order of precedence: from environment variables, the configuration file,
 * the operator's drop-ins, and the command line in a drop-in of the unit or in another program's unit. `mergedFlags`
 * turns them into the effective flags.
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

/**
 * Returns the flags that K3s would use if it started now, according to the files on disk, including another program's
 * unit.
 */
export async function presentFlags(host: HostReader, at: UnitPlace): Promise<readonly GivenFlag[]> {
  const path = at.paths.k3s.config;
  const config = configFlags(await readableText(host, path), path);
  return startFlags(host, { ...at, config, foreign: await foreignUnit(host, at) });
}
