import { expect, test } from 'vitest';
import { credentialDigest, writeProof } from '../../../../../src/agent/parts/registry/proof/pull-record.ts';
import { registriesFile } from '../../../../../src/agent/parts/registry/registries-file.ts';
import { judgeLogins } from '../../../../../src/agent/parts/registry/restarts.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const [bad, good] = ['bad.azurecr.io', 'good.azurecr.io'] as const;
const names = { username: 'u', password: 'p', receivedAt: 0 };

/** What K3s is spared, where the first server refused a login, if its logins end at these times, then and now. */
async function spared(
  then: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
  refuses = true,
) {
  const node = aNode('agent', { settings: { registries: { servers: [bad, good], onRotate: 'restart' } } });
  const host = memoryHost();
  const logins = Object.fromEntries([bad, good].map((server) => [server, { ...names, until: now[server] }]));
  host.files.write(node.paths.slipway.logins, JSON.stringify({ format: 1, logins }), 0o600);
  for (const each of registriesFile(node, [])) await settle(each, host);
  const credential = credentialDigest('u', 'before');
  const proof = { credential, images: [], result: 'x', ...(refuses && { refused: true }) };
  await writeProof(host, node.paths.slipway.pullProof, bad, proof);
  const start = { notes: { loginEnds: then }, changed: ['registryLogins', 'registries'] };
  return (await judgeLogins(host, node, start)).spared;
}

test.each([
  ['the login of the registry that refused one', { [bad]: 1, [good]: 2 }, { [bad]: 3, [good]: 2 }, true],
  ['nothing else, where that had no login', { [good]: 2 }, { [bad]: 3, [good]: 2 }, true],
  ['another login, too', { [bad]: 1, [good]: 2 }, { [bad]: 3, [good]: 4 }, false],
  ['another login alone', { [bad]: 1, [good]: 2 }, { [bad]: 1, [good]: 4 }, false],
  ['one that has no end, as far as is known', { [bad]: 1 }, { [bad]: 3 }, false],
])('K3s is restarted for %s? spared: %#', async (_, then, now, isSpared) => {
  expect(await spared(then, now)).toEqual(isSpared ? ['registryLogins'] : []);
});

test('K3s is restarted for a login once a pull was proven with it', async () => {
  expect(await spared({ [bad]: 1, [good]: 2 }, { [bad]: 3, [good]: 2 }, false)).toEqual([]);
});
