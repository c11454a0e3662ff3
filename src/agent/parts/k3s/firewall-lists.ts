import type { CommandResult, HostReader } from '../../engine/host.ts';
import type { Chains } from './firewall-rules.ts';
import { parseIptables } from './iptables.ts';
import { type NftFilter, parseNftRuleset } from './nft-ruleset.ts';

/** The packet filter rules that the programs of this host list. */
export interface RuleLists {
  /** The filter table of each variant of iptables, with the program that changes it. */
  readonly iptables: readonly { readonly program: string; readonly chains: Chains }[];
  readonly nft: readonly NftFilter[];
  /** Why rules may exist that are not listed; `undefined` if nothing indicates such rules. */
  readonly unseen: string | undefined;
}

/** The warning of iptables-save if tables of the legacy variant exist beside those that it lists. */
const legacyPresent = /^# Warning: iptables-legacy tables present/m;
/** The remark of iptables-save, which nevertheless exits with 0, on a table of nftables that it cannot list. */
const incompatible = /^# Table `filter' .*incompatible/m;

/**
 * Lists the rules of this host with iptables-save(8), nft(8) and, if legacy tables exist, iptables-legacy-save(8). A
 * program that is not installed lists no rules.
 */
export async function listRules(host: HostReader): Promise<RuleLists> {
  const iptables = await host.query({ file: 'iptables-save', args: ['-t', 'filter'] });
  const nft = await host.query({ file: 'nft', args: ['list', 'ruleset'] });
  const legacy = await listLegacy(host, iptables);
  const filters = parseNftRuleset(nft.stdout);
  const isTwice = filters.some(isFilterTable) && (await listsNft(host, iptables));
  return {
    iptables: [
      { program: 'iptables', chains: parseIptables(iptables.stdout) },
      { program: 'iptables-legacy', chains: parseIptables(legacy?.stdout ?? '') },
    ],
    nft: isTwice ? filters.filter((each) => !isFilterTable(each)) : filters,
    unseen: whyUnseen(iptables, nft, legacy),
  };
}

/** Lists the legacy tables if there are any, without `-t`, which would load a missing table into the kernel. */
async function listLegacy(host: HostReader, iptables: CommandResult): Promise<CommandResult | undefined> {
  const isPresent = legacyPresent.test(`${iptables.stdout}\n${iptables.stderr}`);
  return isPresent ? await host.query({ file: 'iptables-legacy-save', args: [] }) : undefined;
}

function isFilterTable({ table }: NftFilter): boolean {
  return table === 'ip filter';
}

/**
 * True if iptables-save listed the table `ip filter` of nftables. Releases before 1.8.8 name their variant only with
 * --version, not in the list of rules.
 */
async function listsNft(host: HostReader, { exitCode, stdout, stderr }: CommandResult): Promise<boolean> {
  if (exitCode !== 0 || !/^\*filter$/m.test(stdout) || incompatible.test(`${stdout}\n${stderr}`)) {
    return false;
  }
  if (stdout.includes('(nf_tables)')) {
    return true;
  }
  const version = await host.query({ file: 'iptables-save', args: ['--version'] });
  return !version.stdout.includes('(legacy)');
}

function whyUnseen(
  iptables: CommandResult,
  nft: CommandResult,
  legacy: CommandResult | undefined,
): string | undefined {
  if (isAbsent(iptables) && isAbsent(nft)) {
    return 'neither iptables nor nft is installed to list the rules: install nftables';
  }
  if (legacy && isAbsent(legacy)) {
    return 'legacy rules of iptables exist, and iptables-legacy-save is not installed to list them';
  }
  const programs = { 'iptables-save': iptables, nft, 'iptables-legacy-save': legacy };
  const refusing = Object.entries(programs).filter(
    ([, result]) => result && result.exitCode !== 0 && !isAbsent(result),
  );
  const names = refusing.map(([name]) => name).join(' and ');
  return names === '' ? undefined : `only root may list all rules with ${names}: run sudo slipway doctor`;
}

function isAbsent({ exitCode }: CommandResult): boolean {
  return exitCode === 127;
}
