import type { Chain, Chains, Rule } from './firewall-rules.ts';

/**
 * Parses the filter table, which contains all rules of ufw and of cloud images, in the output of iptables-save(8) or
 * ip6tables-save(8).
 */
export function parseIptables(text: string): Chains {
  const chains = new Map<string, { policy: Chain['policy']; rules: Rule[] }>();
  const [, filter = ''] = /^\*filter\n([\s\S]*?)^COMMIT$/m.exec(text) ?? [];
  for (const line of filter.split('\n')) {
    const [, declared, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (declared !== undefined) {
      chains.set(declared, { policy: policyOf(policy), rules: [] });
    }
    const [, name = '', options] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    if (options !== undefined) {
      chains.get(name)?.rules.push(parseRule(line, options));
    }
  }
  return chains;
}

function policyOf(word: string | undefined): Chain['policy'] {
  return word === 'ACCEPT' ? 'accept' : word === 'DROP' ? 'reject' : undefined;
}

/**
 * The options that do not make a rule narrow: the model compares their condition with the packet, or they have none.
 */
const known: readonly string[] = ['-m', '-p', '-s', '-d', '--dport', '--dports', '-j', '-g'];
const states: readonly string[] = ['--ctstate', '--state'];

/** The comment of a rule, whose words are not options. */
const comment = /--comment (?:"(?:[^"\\]|\\.)*"|\S+)/;

/**
 * Matches conditions for the source that the model does not cover: interfaces other than lo, cni0 and flannel's,
 * negations, address ranges and sets.
 */
const unclear =
  /(?<!\S)(?:(?:! )?-i (?!(?:lo|cni0|flannel\S*)(?!\S))\S+|! -[is] \S+|(?:! )?--src-range \S+|(?:! )?--match-set \S+ src(?!\S))/g;

/** Matches a condition that the packet leaves through the pods' interface. */
const toPods = /(?<!\S)-o cni0(?!\S)/;

function parseRule(text: string, options: string): Rule {
  const bare = options.replace(comment, '');
  const words =
    bare
      .replace(unclear, '')
      .replace(toPods, '')
      .match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const target = words.findIndex((word) => word === '-j' || word === '-g');
  // Options after the target belong to the target, such as --reject-with.
  const conditions = target < 0 ? words : words.slice(0, target);
  const value = (...names: readonly string[]) => {
    const at = conditions.findIndex((word) => names.includes(word));
    return at < 0 ? undefined : conditions[at + 1];
  };
  const names = conditions.filter((word) => word.startsWith('-') || word === '!');
  const state = value(...states)?.split(',') ?? ['NEW'];
  const isTranslated = !state.includes('NEW') && state.includes('DNAT');
  const isNarrow =
    names.some((name) => !known.includes(name) && !states.includes(name)) ||
    (!state.includes('NEW') && !isTranslated);
  return {
    text,
    protocols: value('-p')?.split(','),
    ports: value('--dport', '--dports')?.split(',').map(portRange),
    from: value('-s')?.split(','),
    to: value('-d')?.split(','),
    isForPods: isTranslated || toPods.test(bare),
    isSourceUnclear: bare.search(unclear) >= 0,
    isNarrow,
    verdict: verdictOf(target < 0 ? undefined : words[target + 1]),
  };
}

function portRange(text: string): readonly [number, number] {
  const [first, last = first] = text.split(':').map(Number);
  return [first ?? 0, last ?? 0];
}

function verdictOf(target: string | undefined): Rule['verdict'] {
  switch (target) {
    case undefined:
    case 'LOG':
    case 'MARK':
    case 'CONNMARK':
    case 'NFLOG':
      return undefined;
    case 'ACCEPT':
      return 'accept';
    case 'DROP':
    case 'REJECT':
      return 'reject';
    case 'RETURN':
      return 'return';
    default:
      return { jump: target };
  }
}
