import type { Chain, Chains, Rule } from './firewall-rules.ts';

/** Parses the filter table, which contains all rules of ufw and of cloud images, in the output of iptables-save(8). */
export function parseIptables(text: string): Chains {
  const chains = new Map<string, { policy: Chain['policy']; rules: Rule[] }>();
  for (const line of text.split('\n')) {
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

/** The options that do not make a rule narrow: their condition is compared with the packet, or they have none. */
const known: readonly string[] = ['-m', '-p', '-s', '--dport', '--dports', '--comment', '-j', '-g'];
const states: readonly string[] = ['--ctstate', '--state'];

function parseRule(text: string, options: string): Rule {
  const words = options.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const target = words.findIndex((word) => word === '-j' || word === '-g');
  // Options after the target belong to the target, such as --reject-with.
  const conditions = target < 0 ? words : words.slice(0, target);
  const value = (...names: readonly string[]) => {
    const at = conditions.findIndex((word) => names.includes(word));
    return at < 0 ? undefined : conditions[at + 1];
  };
  const names = conditions.filter((word) => word.startsWith('-') || word === '!');
  const state = value(...states);
  const isNarrow =
    names.some((name) => !known.includes(name) && !states.includes(name)) ||
    (state !== undefined && !state.split(',').includes('NEW'));
  return {
    text,
    protocol: value('-p'),
    ports: value('--dport', '--dports')?.split(',').map(portRange),
    from: value('-s')?.split(','),
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
