import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, step } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { K3sNode } from '../../node.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { readableText } from '../../resources/file-text.ts';
import { inTransientUnit } from '../../resources/transient-unit.ts';
import { consentAdvice, isConsented } from '../../settings/consents.ts';
import type { Family } from './address-range.ts';
import { type Closed, closedByIptables, savedRules, toldClosed } from './firewall-look.ts';
import { needsOf } from './firewall-needs.ts';
import { parseIptables } from './iptables.ts';

/**
 * The programs that list and change rules, and the rules of images that reject all packets that no earlier rule
 * accepts.
 */
const families = {
  ipv4: {
    program: '/usr/sbin/iptables',
    stock: /^-A (?:INPUT|FORWARD) -j REJECT --reject-with icmp-host-prohibited$/,
  },
  ipv6: {
    program: '/usr/sbin/ip6tables',
    stock: /^-A (?:INPUT|FORWARD) -j REJECT --reject-with icmp6-(?:adm-prohibited|port-unreachable)$/,
  },
} as const satisfies Record<Family, { readonly program: string; readonly stock: RegExp }>;

/** A firewall rule of the image, found in the kernel or in the file for the next boot, that rejects needed traffic. */
interface Rejecting extends Closed {
  readonly place: string;
  readonly remove: (host: Host) => Promise<void>;
}

/**
 * Reports `FirewallRejects` if a rule of the image that rejects every packet, as in Oracle's images, rejects what K3s
 * or NAT needs, in the kernel or in the file of iptables-persistent. Removes a rule that consent.imageRules names,
 * first from the kernel, and then from the file, by which the next pass after a crash recognizes the rule. Changes no
 * other rule. Returns no Resource if the root is not `/`.
 */
export function imageRules(node: K3sNode): readonly Resource[] {
  const resource: Resource = {
    id: 'ImageRules',
    summary: "remove the image's firewall rules that reject what K3s needs",
    condition: 'Preflight',
    check: (host) => checkImageRules(host, node),
  };
  return node.paths.root === '/' ? [nonBlocking(resource)] : [];
}

async function checkImageRules(host: HostReader, node: K3sNode): Promise<Finding> {
  const found = [...(await rejecting(host, node, 'ipv4')), ...(await rejecting(host, node, 'ipv6'))];
  const allowed = found.find(({ by }) => isConsented(node.settings, 'imageRules', subjectOf(by)));
  if (allowed) {
    return step({ field: allowed.place, observed: allowed.by, desired: undefined }, allowed.remove);
  }
  if (found.length > 0) {
    throw firewallRejects(node, found);
  }
  return inSync();
}

/**
 * Returns the rules of the image that reject what this node needs. Lists the kernel's rules only if the file has such
 * rules.
 */
async function rejecting(host: HostReader, node: K3sNode, family: Family): Promise<readonly Rejecting[]> {
  const { program, stock } = families[family];
  const file = savedRules[family];
  const text = await readableText(host, file);
  if (!text.split('\n').some((line) => stock.test(line))) {
    return [];
  }
  const kernel = await host.query(inTransientUnit(`${program}-save`, '-t', 'filter'));
  const places = [
    {
      place: 'the kernel',
      rules: kernel.stdout,
      removal: (rule: string) => async (host: Host) => {
        await host.run(inTransientUnit(program, '-w', '-D', ...subjectOf(rule).split(' ')));
      },
    },
    {
      place: file,
      rules: text,
      removal: (rule: string) => (host: Host) => removeLine(host, file, rule),
    },
  ];
  return places.flatMap(({ place, rules, removal }) => {
    const table = { program, family, chains: parseIptables(rules) };
    const closed = needsOf(node).flatMap((need) => closedByIptables([table], need));
    return closed
      .filter(({ by }) => stock.test(by))
      .map((each) => ({ ...each, place, remove: removal(each.by) }));
  });
}

async function removeLine(host: Host, path: string, line: string): Promise<void> {
  const found = await host.readFile(path);
  if (found) {
    const others = found.content.split('\n').filter((each) => each !== line);
    await host.writeFile(path, others.join('\n'), { mode: found.mode });
  }
}

/** Returns a rule without `-A`, which is how a consent names the rule. */
function subjectOf(rule: string): string {
  return rule.replace(/^-A /, '');
}

function firewallRejects({ settings }: K3sNode, found: readonly Rejecting[]): NodeError {
  const places = [...new Set(found.map(({ place }) => place))];
  const subjects = [...new Set(found.map(({ by }) => subjectOf(by)))];
  const inKernel = found.filter(({ place }) => place === 'the kernel');
  const permit =
    inKernel.length > 0
      ? 'run the commands that `sudo slipway doctor` prints'
      : 'add the rules that accept the packets to this file, above those that reject';
  const risk = subjects.some((subject) => subject.startsWith('INPUT'))
    ? ' Without the rule of INPUT, only other firewalls protect the ports of this node.'
    : '';
  return new NodeError(
    'FirewallRejects',
    `${toldClosed(inKernel.length > 0 ? inKernel : found)}. These rules of the image are in ${places.join(' and in ')}. ` +
      `To permit only these packets, ${permit}. To let Slipway remove the rules instead, ` +
      `${consentAdvice(settings, 'imageRules', ...subjects)}.${risk}`,
    advisory,
  );
}
