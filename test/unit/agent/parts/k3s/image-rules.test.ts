import { describe, expect, test } from 'vitest';
import type { NodeError } from '../../../../../src/agent/engine/errors.ts';
import type { K3sNode } from '../../../../../src/agent/node.ts';
import { imageRules } from '../../../../../src/agent/parts/k3s/image-rules.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../a-node.ts';

const file = '/etc/iptables/rules.v4';
const rejectInput = '-A INPUT -j REJECT --reject-with icmp-host-prohibited\n';
const rejectForward = '-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n';
const consentInput = 'INPUT -j REJECT --reject-with icmp-host-prohibited';
const consentForward = 'FORWARD -j REJECT --reject-with icmp-host-prohibited';

/** The rules of Oracle's Ubuntu images, with a rule that protects the boot volume. */
const image = `# CLOUD_IMG: This file was created by the Cloud Image build process
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:InstanceServices - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
${rejectInput}${rejectForward}-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.0.0/16 -p tcp -j REJECT --reject-with tcp-reset
COMMIT
`;

/** The same rules after the operator added rules that accept an agent's traffic. */
const opened = image
  .replace(rejectInput, `-A INPUT -s 10.0.0.0/16 -j ACCEPT\n${rejectInput}`)
  .replace(rejectForward, `-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n${rejectForward}`);

/**
 * Returns a machine with the file `saved` at `path`, and a kernel whose rules, at first `loaded`, can be listed and
 * deleted.
 */
function machine(saved: string, loaded = saved, path = file) {
  const kernel = { rules: loaded };
  const program = path.endsWith('4') ? '/usr/sbin/iptables' : '/usr/sbin/ip6tables';
  const host = memoryHost({ files: { [path]: saved } })
    .on({ file: 'systemd-run' }, { exitCode: 1, stderr: 'The test did not foresee this program.' })
    .on({ file: 'systemd-run', args: new RegExp(` ${program}-save -t filter$`) }, () => kernel.rules)
    .on({ file: 'systemd-run', args: new RegExp(` ${program} -w -D `) }, ({ args }) => {
      const rule = `-A ${args.slice(args.indexOf('-D') + 1).join(' ')}\n`;
      const isPresent = kernel.rules.includes(rule);
      kernel.rules = kernel.rules.replace(rule, '');
      return { exitCode: isPresent ? 0 : 1 };
    });
  return { host, kernel };
}

function agent(...consented: readonly string[]): K3sNode {
  return aNode('agent', { settings: { consent: { imageRules: consented } } });
}

/**
 * Checks the rules and applies the remedies until a check finds no drift or fails. Resolves to the last state or the
 * reason of the error, or to `never converged` after nine rounds.
 */
async function converged({ host }: ReturnType<typeof machine>, node: K3sNode): Promise<string> {
  const [resource] = imageRules(node);
  for (let round = 0; resource && round < 9; round += 1) {
    const finding = await resource.check(host).catch((error: NodeError) => error.reason);
    if (typeof finding === 'string') {
      return finding;
    }
    if (finding.state !== 'Drifted') {
      return finding.state;
    }
    await finding.drift.remedy(host);
  }
  return 'never converged';
}

describe('without consent', () => {
  test("the image's rejecting rules are reported with the consent that removes them, and no rule is changed", async () => {
    const { host, kernel } = machine(image);
    const [resource] = imageRules(agent());
    await expect(resource?.check(host)).rejects.toThrow(
      '"-A INPUT -j REJECT --reject-with icmp-host-prohibited" rejects 10250/tcp for every node; 8472/udp for every node. ' +
        '"-A FORWARD -j REJECT --reject-with icmp-host-prohibited" rejects the network of pods, 10.42.0.0/16; ' +
        'hostPorts and NodePorts for every node. These rules of the image are in the kernel and in /etc/iptables/rules.v4. ' +
        'To permit only these packets, run the commands that `sudo slipway doctor` prints. To let Slipway remove the rules instead, ' +
        'add `consent: { imageRules: [INPUT -j REJECT --reject-with icmp-host-prohibited, FORWARD -j REJECT --reject-with icmp-host-prohibited] }` ' +
        'to /etc/slipway/config.yaml. Without the rule of INPUT, only other firewalls protect the ports of this node.',
    );
    expect(resource && (await outcome(resource, host))).toBe('FirewallRejects (person, non-blocking)');
    expect([kernel.rules, host.files.text(file), host.journal]).toEqual([image, image, []]);
  });

  test('rules that reject only after the next boot are reported with their file', async () => {
    const [resource] = imageRules(agent());
    await expect(resource?.check(machine(image, opened).host)).rejects.toThrow(
      'are in /etc/iptables/rules.v4. To permit only these packets, add the rules that accept the packets to this file',
    );
  });

  test('rules that reject only until the next boot are reported as those of the kernel', async () => {
    const [resource] = imageRules(agent());
    await expect(resource?.check(machine(opened, image).host)).rejects.toThrow(
      'are in the kernel. To permit',
    );
  });
});

test.each([
  ['has no file of rules', {}],
  ['has a file without the rules of the image', { [file]: image.replace(/.*REJECT.*\n/g, '') }],
])('a machine that %s is in sync, and the rules in the kernel are not read', async (_, files) => {
  const host = memoryHost({ files });
  const [resource] = imageRules(agent());
  expect(await resource?.check(host)).toMatchObject({ state: 'InSync' });
  expect(host.looks.join()).not.toContain('systemd-run');
});

test("the image's rejecting rules stay, even with consent, if earlier rules accept what the node needs", async () => {
  const { host, kernel } = machine(opened);
  expect(await converged({ host, kernel }, agent(consentInput, consentForward))).toBe('InSync');
  expect([kernel.rules, host.files.text(file)]).toEqual([opened, opened]);
});

describe('with consent', () => {
  test('only the consented rule is removed, from the kernel and then from the file, which keeps its mode', async () => {
    const made = machine(image);
    made.host.files.changeMode(file, 0o640);
    expect(await converged(made, agent(consentForward))).toBe('FirewallRejects');
    const without = image.replace(rejectForward, '');
    expect([made.kernel.rules, made.host.files.text(file)]).toEqual([without, without]);
    expect(made.host.files.stat(file)?.mode).toBe(0o640);
    expect(made.host.lines()).toEqual([
      expect.stringMatching(
        /^run systemd-run .* \/usr\/sbin\/iptables -w -D FORWARD -j REJECT --reject-with icmp-host-prohibited$/,
      ),
      `write ${file} 0640`,
    ]);
  });

  test('both rules of the image are removed, and every other rule stays', async () => {
    const made = machine(image);
    expect(await converged(made, agent(consentInput, consentForward))).toBe('InSync');
    const without = image.replace(rejectForward, '').replace(rejectInput, '');
    expect([made.kernel.rules, made.host.files.text(file)]).toEqual([without, without]);
  });

  test.each([
    'INPUT -j DROP',
    'INPUT -j REJECT --reject-with icmp-port-unreachable',
    'INPUT -s 10.0.0.0/8 -j REJECT',
  ])('the rule "%s", which is not one of the image, stays', async (rule) => {
    const own = image.replace(rejectInput, `-A ${rule}\n${rejectInput}`);
    const made = machine(own);
    await converged(made, agent(rule, consentForward));
    expect(made.kernel.rules).toContain(`-A ${rule}\n`);
    expect(made.host.files.text(file)).toBe(own.replace(rejectForward, ''));
  });

  test('a file that changed since the check loses only the rule', async () => {
    const { host } = machine(image, image.replace(rejectForward, ''));
    const finding = await imageRules(agent(consentForward))[0]?.check(host);
    host.files.write(file, `${image}# edited\n`);
    await (finding?.state === 'Drifted' && finding.drift.remedy(host));
    expect(host.files.text(file)).toBe(`${image.replace(rejectForward, '')}# edited\n`);
  });

  test('the rules for IPv6 of a node with an IPv6 address are removed', async () => {
    const ipv6 = image.replaceAll('icmp-host-prohibited', 'icmp6-adm-prohibited');
    const made = machine(ipv6, ipv6, '/etc/iptables/rules.v6');
    const settings = { consent: { imageRules: ['FORWARD -j REJECT --reject-with icmp6-adm-prohibited'] } };
    expect(await converged(made, aNode('agent', { address: 'fd00:1::5', settings }))).toBe('FirewallRejects');
    expect(made.kernel.rules).not.toContain('-A FORWARD');
    expect(made.host.files.text('/etc/iptables/rules.v6')).not.toContain('-A FORWARD');
  });
});

test('imageRules returns no Resource below another root', () => {
  expect(imageRules(aNode('agent', { root: '/image' }))).toEqual([]);
});
