import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../../src/agent/engine/resource.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { stamp } from '../../../../../src/agent/parts/index.ts';
import { containerdLogins } from '../../../../../src/agent/parts/registry/containerd-expiry.ts';
import { renderLogins, storedLogin } from '../../../../../src/agent/parts/registry/login-store.ts';
import { registriesFile } from '../../../../../src/agent/parts/registry/registries-file.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const minute = 60_000;
const hour = 60 * minute;
const [one, two] = ['one.azurecr.io', 'two.azurecr.io'];
const mirrors = { 'docker.io': { endpoint: [`https://${two}`] } };

/**
 * Returns a host whose K3s started with a login for each server in `lives`, valid for that many hours. Also returns the
 * host's paths, and the check of the logins' expiry.
 */
async function started(lives: Readonly<Record<string, number>>, registries: object = { mirrors }) {
  const node = aNode('agent', { settings: { registries: { servers: [one, two], ...registries } } });
  const { paths } = node;
  const host = memoryHost({ now: Date.UTC(2026, 0, 1) });
  host.on({ file: 'systemctl', args: /^show k3s-agent/ }, 'InvocationID=i1\n');
  host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (abc)\n');
  const logins = Object.fromEntries(
    Object.entries(lives).map(([server, hours]) => {
      const password = new Secret(`canary of ${server}`);
      return [server, storedLogin('u', { password, until: host.now() + hours * hour }, host.now())];
    }),
  );
  host.files.write(paths.slipway.logins, renderLogins(logins).reveal(), 0o600);
  for (const each of registriesFile(node, [])) {
    await settle(each, host);
  }
  const provider = `providers: [{ name: slipway-credential-provider, matchImages: [${one}, ${two}] }]\n`;
  host.files.write(paths.k3s.credentialProvider, provider);
  await stamp(host, paths, { invocationId: 'i1' });
  const [resource] = containerdLogins(node);
  if (!resource) {
    throw new Error('there is no resource');
  }
  return { host, paths, check: () => resource.check(host) };
}

function brief(finding: Finding, host: MemoryHost): string {
  if (finding.state !== 'Waiting') {
    return `${finding.state} ${((finding as { until?: number }).until ?? Number.NaN) - host.now()}`;
  }
  const { reason, endedBy, blocks, after, message } = finding;
  return `${reason} ${endedBy} ${blocks} ${after} ${/ends at|ended at/.exec(message)?.[0]}`;
}

test('containerdLogins returns no Resource without login servers', () => {
  expect(containerdLogins(aNode('agent'))).toEqual([]);
});

describe('the expiry of a login that containerd uses for a mirror', () => {
  test.each([
    ['never', 0, `InSync ${2 * hour}`],
    ['never', 2 * hour - 1, 'InSync 1'],
    ['never', 2 * hour, `ContainerdLoginEnds person false ${hour} ends at`],
    ['never', 3 * hour, `ContainerdLoginEnds person false ${hour} ended at`],
    ['auto', 2 * hour, `InSync ${hour}`],
    ['auto', 3 * hour, `ContainerdLoginEnds person false ${hour} ended at`],
    ['restart', 3 * hour, `ContainerdLoginEnds person false ${hour} ended at`],
  ])(
    'with onRotate %s, %i ms after the start of K3s, leads to the finding "%s"',
    async (onRotate, after, expected) => {
      const { host, check } = await started({ [one]: 1, [two]: 3 }, { onRotate, mirrors });
      host.advance(after);
      expect(brief(await check(), host)).toBe(expected);
    },
  );

  test('is reported with its time, the pulls that need the login, and the repair', async () => {
    const { host, check } = await started({ [two]: 3 });
    host.advance(2 * hour);
    expect(await check()).toMatchObject({
      message: `The login for ${two} that containerd has since K3s started ends at 2026-01-01T03:00:00.000Z, and pulls that need it will fail from then on (docker.io is mirrored by ${two}). Run systemctl restart k3s-agent.service, or set registries.onRotate to auto, and K3s is restarted for each new one.`,
    });
  });
});

test.each<readonly [string, Readonly<Record<string, number>>, object]>([
  ['a login that containerd does not use', { [one]: 1 }, { mirrors }],
  ['a login server without a login', {}, { mirrors }],
  ['logins on a node whose containerd pulls only for kubelet', { [one]: 1, [two]: 1 }, {}],
])('no expiry is reported for %s', async (_what, lives, registries) => {
  const { host, check } = await started(lives, registries);
  host.advance(24 * hour);
  expect(await check()).toEqual({ state: 'InSync' });
});

test('no expiry is reported for a start of K3s without a stamp', async () => {
  const { host, paths, check } = await started({ [two]: 1 });
  host.files.remove(paths.k3s.stamp);
  host.advance(24 * hour);
  expect(await check()).toEqual({ state: 'InSync' });
});
