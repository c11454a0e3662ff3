import type { CommandResult, HostReader } from '../../engine/host.ts';
import type { Family } from './address-range.ts';
import type { Chains } from './firewall-rules.ts';
import { parseIptables } from './iptables.ts';
import { type NftFilter, parseNftRuleset } from './nft-ruleset.ts';

/** The packet filter rules that the programs of this host list. */
export interface RuleLists {
  readonly iptables: readonly FilterTable[];
  readonly nft: readonly NftFilter[];
  /** Why the lists may be incomplete; `undefined` if nothing indicates this. */
  readonly unseen: string | undefined;
}

/** The filter table of one variant of iptables for one family, with the program that changes the table. */
export interface FilterTable {
  readonly program: string;
  readonly family: Family;
  readonly chains: Chains;
}

/** The iptables program of each family, and the table of nftables that the newer variant of this program uses. */
const programs = {
  ipv4: { name: 'iptables', table: 'ip filter' },
  ipv6: { name: 'ip6tables', table: 'ip6 filter' },
} as const satisfies Record<Family, { readonly name: string; readonly table: string }>;

/** Matches the warning of iptables-save that tables of the legacy variant exist besides those that it lists. */
const legacyPresent = /^# Warning: ip6?tables-legacy tables present/m;
/** Matches the remark of iptables-save about a table of nftables that it cannot list. It exits with 0 nevertheless. */
const incompatible = /^# Table `filter' .*incompatible/m;

/**
 * Lists the rules for packets of these families with iptables-save(8) or ip6tables-save(8), nft(8) and, if legacy
 * tables exist, iptables-legacy-save(8). A program that is not installed lists no rules.
 */
export async function listRules(host: HostReader, families: readonly Family[]): Promise<RuleLists> {
  const nft = await host.query({ file: 'nft', args: ['list', 'ruleset'] });
  const filters = parseNftRuleset(nft.stdout);
  const saved = await Promise.all(families.map((family) => saveTables(host, family, filters)));
  const listedTwice = saved.filter(({ isTwice }) => isTwice).map(({ family }) => programs[family].table);
  return {
    iptables: saved.flatMap(({ tables }) => tables),
    nft: filters.filter(({ table }) => !listedTwice.some((twice) => twice === table)),
    unseen: whyUnseen(nft, saved),
  };
}

/** The answers of the iptables programs for one family. */
interface Saved {
  readonly family: Family;
  readonly tables: readonly FilterTable[];
  /** True if iptables-save and nft listed the same table. */
  readonly isTwice: boolean;
  readonly current: CommandResult;
  readonly legacy: CommandResult | undefined;
}

async function saveTables(host: HostReader, family: Family, filters: readonly NftFilter[]): Promise<Saved> {
  const { name, table } = programs[family];
  const current = await host.query({ file: `${name}-save`, args: ['-t', 'filter'] });
  const isPresent = legacyPresent.test(`${current.stdout}\n${current.stderr}`);
  // Lists all tables, because `-t filter` would load a missing filter table into the kernel.
  const legacy = isPresent ? await host.query({ file: `${name}-legacy-save`, args: [] }) : undefined;
  return {
    family,
    tables: [
      { program: name, family, chains: parseIptables(current.stdout) },
      { program: `${name}-legacy`, family, chains: parseIptables(legacy?.stdout ?? '') },
    ],
    isTwice: filters.some((each) => each.table === table) && (await listsNft(host, name, current)),
    current,
    legacy,
  };
}

/**
 * True if iptables-save listed the filter table of nftables; false if it listed that of the legacy variant, or failed.
 * Releases of iptables before 1.8.8 name their variant only with --version, not in the list of rules.
 */
async function listsNft(
  host: HostReader,
  name: string,
  { exitCode, stdout, stderr }: CommandResult,
): Promise<boolean> {
  if (exitCode !== 0 || !/^\*filter$/m.test(stdout) || incompatible.test(`${stdout}\n${stderr}`)) {
    return false;
  }
  if (stdout.includes('(nf_tables)')) {
    return true;
  }
  const version = await host.query({ file: `${name}-save`, args: ['--version'] });
  return !version.stdout.includes('(legacy)');
}

function whyUnseen(nft: CommandResult, saved: readonly Saved[]): string | undefined {
  if (isAbsent(nft) && saved.some(({ current }) => isAbsent(current))) {
    return 'neither iptables nor nft is installed to list the rules: install nftables';
  }
  const hidden = saved.find(({ legacy }) => legacy && isAbsent(legacy));
  if (hidden) {
    const { name } = programs[hidden.family];
    return `legacy rules of ${name} exist, and ${name}-legacy-save is not installed to list them`;
  }
  const answers = saved.flatMap(({ family, current, legacy }) => [
    { name: `${programs[family].name}-save`, result: current },
    { name: `${programs[family].name}-legacy-save`, result: legacy },
  ]);
  const refusing = [...answers, { name: 'nft', result: nft }].filter(
    ({ result }) => result && result.exitCode !== 0 && !isAbsent(result),
  );
  const names = refusing.map(({ name }) => name).join(' and ');
  return names === '' ? undefined : `only root may list all rules with ${names}: run sudo slipway doctor`;
}

function isAbsent({ exitCode }: CommandResult): boolean {
  return exitCode === 127;
}
