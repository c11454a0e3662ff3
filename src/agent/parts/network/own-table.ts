import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { ConditionType } from '../../engine/resource.ts';
import { forPerson } from '../../engine/severity.ts';
import { nft, nftCommand } from './nft-command.ts';

/** An nftables table of Slipway, and the unit that loads it. Slipway loads or replaces no other table. */
export interface OwnTable {
  /** The prefix of the ids of the Resources for the table. */
  readonly id: string;
  readonly condition: ConditionType;
  /** The reason with which a failure to load or list the table is reported. */
  readonly reason: 'ImdsGuardFailed' | 'NatFailed';
  /** The table's family and name. */
  readonly name: readonly [family: string, name: string];
  /** The unit that loads the table at every boot. */
  readonly unit: string;
  /** What the rules do; completes "the rules that ...". */
  readonly purpose: string;
  /** The consequence of missing rules; completes "so ...". */
  readonly otherwise: string;
  /** What to do if nft cannot be installed; completes "or ...". */
  readonly instead: string;
}

/** Returns the input with which `nft -f` replaces this table and no other, either completely or not at all. */
export function renderTable({ name }: OwnTable, comment: string, chains: string): string {
  const table = `table ${name.join(' ')}`;
  return `# Written by Slipway: ${comment}\n${table}\ndelete ${table}\n${table} {\n${chains}}\n`;
}

/** Returns a chain of a table, one rule per line. */
export function renderChain(name: string, rules: readonly string[]): string {
  return [`\tchain ${name} {\n`, ...rules.map((rule) => `\t\t${rule}\n`), '\t}\n'].join('');
}

/**
 * Returns the table as nft lists it; `undefined` if the table does not exist. Throws the table's reason if nft fails
 * for any other cause.
 */
export async function listTable(host: HostReader, table: OwnTable): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await host.query(nftCommand('list', 'table', ...table.name));
  if (exitCode === 0) {
    return stdout;
  }
  // nft prints this message if the table does not exist.
  if (/^Error: No such file or directory/m.test(stderr)) {
    return undefined;
  }
  throw tableFailed(
    table,
    `It is not known whether the rules that ${table.purpose} are loaded. ${quoted(stderr)}`,
  );
}

export function nftablesMissing({ otherwise, instead }: OwnTable): NodeError {
  const message = `There is no ${nft}, so ${otherwise}. Install it (apt-get install nftables), or ${instead}.`;
  return new NodeError('NftablesMissing', message, forPerson);
}

/**
 * Returns the error for a table that cannot be loaded or listed. It is tried again soon, although only a person may end
 * the failure: an attempt is cheap, and without the table the VM may be less safe.
 */
export function tableFailed({ reason, unit }: OwnTable, what: string): NodeError {
  return new NodeError(reason, `${what} See journalctl -u ${unit}.`, { ...forPerson, retry });
}

const retry = { longest: 40_000 } as const;

/**
 * Returns a sentence, to end a message, that quotes the last 1000 characters of nft's output, or says that nft wrote
 * nothing.
 */
export function quoted(words: string): string {
  const said = words.trim().slice(-1_000);
  return said === '' ? 'It wrote nothing.' : `It wrote: ${said}`;
}
