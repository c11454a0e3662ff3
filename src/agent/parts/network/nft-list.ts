import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { guardUnit } from './guard-unit.ts';
import { guardTable, nftCommand } from './nft-command.ts';

/**
 * Returns our table as nft lists it; `undefined` if the table does not exist. Throws `ImdsGuardFailed` if nft cannot
 * list it.
 */
export async function listTable(host: HostReader): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await host.query(nftCommand('list', 'table', ...guardTable));
  if (exitCode === 0) {
    return stdout;
  }
  // nft prints this message for a missing table.
  if (/^Error: No such file or directory/m.test(stderr)) {
    return undefined;
  }
  throw guardFailed(
    `It is not known whether the rules that keep pods from the metadata service are loaded. ${quoted(stderr)}`,
  );
}

export function guardFailed(what: string): NodeError {
  return new NodeError('ImdsGuardFailed', `${what} See journalctl -u ${guardUnit}.`, forPerson);
}

export function quoted(words: string): string {
  const said = words.trim().slice(-1_000);
  return said === '' ? 'It wrote nothing.' : `It wrote: ${said}`;
}
