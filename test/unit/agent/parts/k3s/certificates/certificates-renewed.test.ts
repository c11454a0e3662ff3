import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import { waiting } from '../../../../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import { stamp } from '../../../../../../src/agent/parts/index.ts';
import { certificateStatus } from '../../../../../../src/agent/parts/k3s/certificates/certificate-status.ts';
import { certificatesRenewed } from '../../../../../../src/agent/parts/k3s/certificates/certificates-renewed.ts';
import { type Gate, openGate, type Wish } from '../../../../../../src/agent/parts/k3s/gate.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { beside } from '../../../../../lab/beside.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';
import {
  isRenewed,
  servingLeaf,
  startAgentLeaves,
  startServerLeaves,
} from '../../../../../lab/standins/k3s-leaves.ts';
import { aNode, outcome } from '../../../a-node.ts';

const day = 86_400_000;
const begin = Date.UTC(2026, 0, 1);
const paths = nodePaths('/');
const data = '/var/lib/rancher/k3s';
const validity = { from: begin - day, ends: begin + 3_650 * day };
const authorities = {
  server: makeAuthority('server-ca', validity),
  client: makeAuthority('client-ca', validity),
};

/** A node with a K3s that renews its certificates at each start, and the wishes with which it asked the gate. */
interface Made {
  readonly host: MemoryHost;
  readonly node: K3sNode;
  readonly wishes: Wish[];
  readonly write: (path: string, text: string) => void;
  /** Starts K3s, as a person or a reboot would. */
  readonly start: () => Promise<void>;
  readonly check: () => Promise<Finding>;
  readonly outcome: () => Promise<string>;
}

interface Options {
  readonly role?: 'server' | 'agent';
  /** The life of new leaf certificates in days. */
  readonly days?: number;
  readonly stuck?: readonly string[];
  readonly gate?: Gate;
}

async function made({
  role = 'server',
  days = 365,
  stuck = [],
  gate = openGate,
}: Options = {}): Promise<Made> {
  const host = memoryHost({ now: begin });
  const node = aNode(role);
  const unit = role === 'server' ? 'k3s.service' : 'k3s-agent.service';
  const wishes: Wish[] = [];
  let starts = 0;
  let serving: string | undefined;
  const write = (path: string, text: string) => host.files.write(`${data}/${path}`, text);
  const files = { read: (path: string) => host.files.text(`${data}/${path}`), write };
  const start = async () => {
    starts += 1;
    host.files.remove('/run/slipway-k3s');
    host.files.makeDirectory('/run/slipway-k3s');
    await stamp(beside(host), paths, { invocationId: `i${starts}` });
    const options = { authorities, now: host.now(), days, stuck };
    if (role === 'server') {
      startServerLeaves(files, options);
    }
    startAgentLeaves(files, options);
  };
  host
    .on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (abc)\n')
    .on(
      { file: 'systemctl', args: /^show k3s(-agent)?\.service -p / },
      () => `ActiveState=active\nInvocationID=i${starts}\nJob=0\n`,
    )
    .on({ file: 'systemctl', args: ['restart', '--no-block', unit] }, async () => {
      await start();
      return '';
    })
    .onPeer('https://127.0.0.1:6443', () => {
      serving = isRenewed(serving, host.now())
        ? servingLeaf({ authorities, now: host.now() }).certificate
        : serving;
      return serving ?? '';
    });
  const asking: Gate = (reader, wish) => {
    wishes.push(wish);
    return gate(reader, wish);
  };
  const resource = certificatesRenewed(node, asking, []);
  await start();
  return {
    ...{ host, node, wishes, write, start },
    check: () => resource.check(host),
    outcome: () => outcome(resource, host),
  };
}

function restarts({ host }: Made): number {
  return host.lines().filter((line) => line.includes('restart --no-block')).length;
}

/** Checks and corrects every `step` days for some days. Returns the fewest days that a certificate had left. */
async function live(node: Made, days: number, step = 3): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const end = node.host.now() + days * day; node.host.now() < end; node.host.advance(step * day)) {
    const finding = await node.check();
    const ends = (await certificateStatus(node.host, node.node)).map((each) => each.ends);
    least = Math.min(least, (Math.min(...ends) - node.host.now()) / day);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(node.host);
    }
  }
  return least;
}

const leaf = 'server/tls/client-admin.crt';

describe.each(['server', 'agent'] as const)('the certificates of a node with the role %s', (role) => {
  test('need nothing until 120 days before the end of the first leaf', async () => {
    const node = await made({ role });
    const finding = await node.check();
    const { until = 0 } = finding.state === 'InSync' ? finding : {};
    expect(until).toBe(begin - 3_600_000 + 245 * day);
    node.host.advance(until - begin - 1);
    expect(await node.outcome()).toBe('InSync');
    node.host.advance(1);
    expect(await node.outcome()).toMatch(/^Drifted \(non-blocking\) /);
    expect(node.host.looks.filter((line) => line.startsWith('systemctl'))).toHaveLength(2);
  });

  test('are all renewed by one restart', async () => {
    const node = await made({ role });
    await live(node, 250);
    expect([restarts(node), await node.outcome()]).toEqual([1, 'InSync']);
  });

  test.each([365, 180, 120, 90, 30, 7])(
    'are renewed in time, again and again, if they are valid for %i days',
    async (days) => {
      const node = await made({ role, days });
      const step = days / 30;
      const most = days - Math.min(120, days / 3);
      expect(await live(node, 3 * days, step)).toBeGreaterThan(Math.min(120, days / 3) - 2 * step);
      expect(Math.abs(restarts(node) - (3 * days) / most)).toBeLessThan(1);
    },
  );
});

describe('a leaf certificate that a start did not renew', () => {
  test('causes one restart, and then a condition for a person', async () => {
    const node = await made({ stuck: [leaf] });
    await live(node, 370);
    expect(restarts(node)).toBe(1);
    expect(await node.outcome()).toBe('Waiting CertificateNotRenewed');
    expect(await node.check()).toMatchObject({
      ...{ blocks: false, endedBy: 'person' },
      message: expect.stringMatching(
        /K3s did not renew server\/tls\/client-admin.crt .* first end is on 2026-12-31/,
      ),
    });
  });

  test('causes no restart if another program started K3s after its due time', async () => {
    const node = await made({ stuck: [leaf] });
    node.host.advance(246 * day);
    await node.start();
    node.host.advance(day);
    expect(await node.outcome()).toBe('Waiting CertificateNotRenewed');
    expect(node.wishes).toEqual([]);
  });

  test('causes a restart if it was not yet due at the last start', async () => {
    const node = await made();
    node.host.advance(240 * day);
    await node.start();
    node.host.advance(6 * day);
    expect(await node.outcome()).toMatch(/^Drifted/);
  });

  test('is not reported until K3s has run for five minutes', async () => {
    const node = await made({ stuck: [leaf] });
    node.host.advance(246 * day);
    await node.start();
    node.host.advance(299_000);
    expect(await node.check()).toMatchObject({ reason: 'ServiceStarting', blocks: false });
    node.host.advance(1_000);
    expect(await node.outcome()).toBe('Waiting CertificateNotRenewed');
  });

  test('does not delay the renewal of other leaf certificates', async () => {
    const node = await made({ stuck: [leaf] });
    await live(node, 250);
    await live(node, 250);
    expect(restarts(node)).toBe(2);
    expect(await node.outcome()).toBe('Waiting CertificateNotRenewed');
  });

  test('causes at most one restart if the start left no stamp', async () => {
    const node = await made({ stuck: [leaf] });
    node.host.on({ file: 'systemctl', args: ['restart', '--no-block', 'k3s.service'] }, () => {
      node.host.files.remove('/run/slipway-k3s');
      node.host.files.makeDirectory('/run/slipway-k3s');
      return '';
    });
    await live(node, 300);
    expect(restarts(node)).toBe(1);
    expect(await node.outcome()).toBe('Waiting CertificateNotRenewed');
  });
});

describe('the wish of a node', () => {
  test.each([
    [245, {}],
    [334, {}],
    [335, { outsideWindows: true }],
    [357, { outsideWindows: true }],
    [358, { outsideWindows: true, isUrgent: true, isAboutAccess: true }],
    [400, { outsideWindows: true, isUrgent: true, isAboutAccess: true }],
  ])('after %i of 365 days has the urgency %j', async (days, urgency) => {
    const node = await made();
    node.host.advance(days * day);
    await node.check();
    expect(node.wishes).toEqual([
      {
        kind: 'certificates',
        name: 'renew certificates',
        digest: expect.stringMatching(/^[0-9a-f]{12}$/),
        ...urgency,
      },
    ]);
  });

  test('stays the same while further certificates become due, and changes after a renewal', async () => {
    const closed: Gate = async () => waiting('Blocked', 'waits for a window');
    const node = await made({ gate: closed });
    node.host.advance(100 * day);
    await node.start();
    node.host.advance(146 * day);
    await node.check();
    node.host.advance(60 * day);
    await node.check();
    node.host.advance(50 * day);
    await node.start();
    node.host.advance(246 * day);
    await node.check();
    const [first, second, third] = node.wishes.map(({ digest }) => digest);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });
});

describe('the gate', () => {
  test('delays the restart, and its wait blocks nothing', async () => {
    const node = await made({ gate: async () => waiting('Blocked', 'waits for a window') });
    node.host.advance(246 * day);
    expect(await node.check()).toEqual(waiting('Blocked', 'waits for a window', { blocks: false }));
  });

  test('does not hide a fault while it delays the restart', async () => {
    const node = await made({ gate: async () => waiting('Blocked', 'waits for a window', { after: 7 }) });
    node.write('agent/odd.crt', 'x');
    node.host.advance(246 * day);
    expect(await node.check()).toMatchObject({
      ...{ reason: 'CertificateDamaged', endedBy: 'person', blocks: false, after: 7 },
      message: expect.stringMatching(/odd.crt contains no certificate.*waits for a window$/),
    });
  });

  test('may take a step of its own first', async () => {
    const drift = { changes: [], partial: true, remedy: async () => {} };
    const node = await made({ gate: async () => ({ state: 'Drifted', drift }) });
    node.host.advance(246 * day);
    expect(await node.check()).toEqual({ state: 'Drifted', drift });
  });
});

describe('a wrong clock', () => {
  test('is reported if a certificate is not valid yet, and never causes a restart', async () => {
    const node = await made();
    node.host.advance(246 * day);
    node.write('agent/client-kubelet.crt', servingLeaf({ authorities, now: begin + 250 * day }).certificate);
    expect(await node.check()).toMatchObject({
      ...{ reason: 'CertificateNotYetValid', endedBy: 'person', blocks: false },
      message: expect.stringContaining('the clock of this VM has not reached'),
    });
    expect(node.wishes).toEqual([]);
  });

  test('that was behind causes no restart of K3s once it is corrected', async () => {
    const node = await made();
    node.host.setClock(begin - 400 * day);
    expect(await node.outcome()).toBe('Waiting CertificateNotYetValid');
    node.host.setClock(begin + day);
    expect(await node.outcome()).toBe('InSync');
  });
});

describe('a certificate that no restart renews', () => {
  test.each([
    [3_650 - 366, 'InSync'],
    [3_650 - 365, 'Waiting CaEnding'],
    [3_650 - 20, 'Waiting CaEnding'],
  ])('is that of a CA: %i days after its start, the finding is %s', async (days, expected) => {
    const node = await made();
    node.host.advance(days * day);
    await node.start();
    node.host.advance(day);
    node.host.setClock(begin + days * day);
    expect(await node.outcome()).toBe(expected);
    expect(node.wishes).toEqual([]);
  });

  test('is that of port 6443, which is reported if K3s has not renewed it 30 days before its end', async () => {
    const node = await made();
    const old = servingLeaf({ authorities, now: begin }).certificate;
    node.host.onPeer('https://127.0.0.1:6443', old);
    await live(node, 340);
    expect(restarts(node)).toBe(1);
    expect(await node.check()).toMatchObject({
      reason: 'CertificateNotRenewed',
      message: expect.stringContaining('certificate of port 6443 while it ran; it ends on 2026-12-31'),
    });
  });
});

test('a port that does not answer, or shows no certificate, is left to other conditions, and read again after a minute', async () => {
  const node = await made();
  const { length } = node.host.looks;
  for (const answer of [unreachable('https://127.0.0.1:6443'), 'x']) {
    node.host.onPeer('https://127.0.0.1:6443', answer);
    expect([await node.outcome(), await node.outcome()]).toEqual(['InSync', 'InSync']);
    node.host.advance(60_000);
  }
  expect(node.host.looks.slice(length)).toEqual(Array(2).fill('certificate of https://127.0.0.1:6443'));
});

test('the certificate of the port in k3s.config is read once an hour', async () => {
  const host = memoryHost().onPeer(
    'https://127.0.0.1:7443',
    () => servingLeaf({ authorities, now: begin }).certificate,
  );
  const resource = certificatesRenewed(
    aNode('server', { settings: { k3s: { config: { 'https-listen-port': 7443 } } } }),
    openGate,
    [],
  );
  await resource.check(host);
  host.advance(3_599_000);
  await resource.check(host);
  expect(host.looks).toHaveLength(1);
  host.advance(1_000);
  await resource.check(host);
  expect(host.looks).toHaveLength(2);
});

describe('a gate that never opens', () => {
  const shutTo = (passes: (wish: Wish) => boolean | undefined): Gate => {
    return async (_, wish) => (passes(wish) ? undefined : waiting('Blocked', 'waits for a window'));
  };

  test.each([
    ['because of closed windows', ({ outsideWindows }: Wish) => outsideWindows, 30],
    ['because of other nodes', ({ isUrgent }: Wish) => isUrgent, 7],
  ])('$0 delays the renewal only until $2 days before the end', async (_, passes, left) => {
    const node = await made({ gate: shutTo(passes) });
    const least = await live(node, 370, 0.5);
    expect(least).toBeGreaterThan(left - 1);
    expect(least).toBeLessThanOrEqual(left);
    expect(restarts(node)).toBe(1);
  });
});
