import { expect, test } from 'vitest';
import { credentialDigest, writeProof } from '../../../../../src/agent/parts/registry/proof/pull-record.ts';
import { registriesFile } from '../../../../../src/agent/parts/registry/registries-file.ts';
import { judgeLogins } from '../../../../../src/agent/parts/registry/restarts.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const [bad, good] = ['bad.azurecr.io', 'good.azurecr.io'] as const;
const names = { username: 'u', password: 'p', receivedAt: 0 };

/**
 * Returns the changed inputs that do not make K3s restart. The logins with which K3s started expire at `then`, the
 * current logins at `now`. If `refuses` is true, the server `bad` refused an earlier login.
 */
async function spared(
  then: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
  refuses = true,
) {
  const node = aNode('agent', { settings: { registries: { servers: [bad, good], onRotate: 'restart' } } });
  const host = memoryHost();
  const logins = Object.fromEntries([bad, good].map((server) => [server, { ...names, until: now[server] }]));
  host.files.write(node.paths.slipway.logins, JSON.stringify({ format: 1, logins }), 0o600);
  for (const each of registriesFile(node, [])) {
    await settle(each, host);
  }
  const credential = credentialDigest('u', 'before');
  const proof = { credential, images: [], result: 'x', ...(refuses && { refused: true }) };
  await writeProof(host, node.paths.slipway.pullProof, bad, proof);
  const start = { notes: { loginEnds: then }, changed: ['registryLogins', 'registries'] };
  return (await judgeLogins(host, node, start)).spared;
}

test.each([
  [
    'does not restart for a new login of a registry that refused the previous login',
    { [bad]: 1, [good]: 2 },
    { [bad]: 3, [good]: 2 },
    true,
  ],
  [
    'does not restart for the first login of a registry that refused one',
    { [good]: 2 },
    { [bad]: 3, [good]: 2 },
    true,
  ],
  [
    'restarts if the login of another registry also changed',
    { [bad]: 1, [good]: 2 },
    { [bad]: 3, [good]: 4 },
    false,
  ],
  [
    'restarts if only the login of another registry changed',
    { [bad]: 1, [good]: 2 },
    { [bad]: 1, [good]: 4 },
    false,
  ],
  [
    'restarts if the expiry that another login had at the start of K3s is unknown',
    { [bad]: 1 },
    { [bad]: 3 },
    false,
  ],
])('K3s %s', async (_, then, now, isSpared) => {
  expect(await spared(then, now)).toEqual(isSpared ? ['registryLogins'] : []);
});

test('K3s restarts for a login once a pull with it has succeeded', async () => {
  expect(await spared({ [bad]: 1, [good]: 2 }, { [bad]: 3, [good]: 2 }, false)).toEqual([]);
});
