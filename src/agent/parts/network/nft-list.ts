import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { guardUnit } from './guard-unit.ts';
import { guardTable, nftCommand } from './nft-command.ts';

/** Our table as nft lists it; `undefined` where there is none. `ImdsGuardFailed` where that cannot be known. */
export async function listTable(host: HostReader): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await host.query(nftCommand('list', 'table', ...guardTable));
  if (exitCode === 0) return stdout;
  // What nft says of a table that is not there.
  if (/^Error: No such file or directory/m.test(stderr)) return undefined;
  throw guardFailed(
    `It is not known whether the rules that keep pods from the metadata service are loaded. ${quoted(stderr)}`,
  );
}

export function guardFailed(what: string): NodeError {
  return new NodeError('ImdsGuardFailed', `${what} See journalctl -u ${guardUnit}.`, forPerson);
}

export function quoted(words: string): string {
  const said = words.trim().slice(-1_000);
  return said === '' ? 'Nothing was said about it.' : `It wrote: ${said}`;
}
