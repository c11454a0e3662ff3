import { expect, test } from 'vitest';
import { credentialDigest, writeProof } from '../../../../../src/agent/parts/registry/proof/pull-record.ts';
import { registriesFile } from '../../../../../src/agent/parts/registry/registries-file.ts';
import { judgeLogins } from '../../../../../src/agent/parts/registry/restarts.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const [bad, good] = ['bad.azurecr.io', 'good.azurecr.io'] as const;
const names = { username: 'u', password: 'p', receivedAt: 0 };

/** Returns the inputs that do not restart K3s if the logins end at these times; the first server refused one. */
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
    'is not restarted for a login of a registry that refused one',
    { [bad]: 1, [good]: 2 },
    { [bad]: 3, [good]: 2 },
    true,
  ],
  [
    'is not restarted for the first login of a registry that refused one',
    { [good]: 2 },
    { [bad]: 3, [good]: 2 },
    true,
  ],
  [
    'is restarted if the login of another registry changed too',
    { [bad]: 1, [good]: 2 },
    { [bad]: 3, [good]: 4 },
    false,
  ],
  [
    'is restarted if only the login of another registry changed',
    { [bad]: 1, [good]: 2 },
    { [bad]: 1, [good]: 4 },
    false,
  ],
  ['is restarted if the end of another login is not known', { [bad]: 1 }, { [bad]: 3 }, false],
])('K3s %s', async (_, then, now, isSpared) => {
  expect(await spared(then, now)).toEqual(isSpared ? ['registryLogins'] : []);
});

test('K3s is restarted for a login once a pull has been proven with it', async () => {
  expect(await spared({ [bad]: 1, [good]: 2 }, { [bad]: 3, [good]: 2 }, false)).toEqual([]);
});
