import { describe, expect, test } from 'vitest';
import { pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import {
  caPin,
  pin,
  pinnedHash,
  repin,
  unpinnedToken,
} from '../../../../../../src/agent/parts/k3s/membership/ca-pin.ts';
import { parseToken } from '../../../../../../src/agent/parts/k3s/membership/token.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { aCa, anAuthority, rotated } from './certificates.ts';

const path = '/var/lib/slipway/join-token';
const agent = '/var/lib/rancher/k3s/agent';
const authority = anAuthority();
const ca = authority.certificate;
const { hash } = pinnedCa(ca);
const bundle = rotated(authority);

/** Returns an agent with this token that has joined a server with the CA `ca`. */
function world(token: string, joined: Readonly<Record<string, string>> = { 'kubelet.kubeconfig': 'x' }) {
  const files = Object.entries({ 'server-ca.crt': ca, ...joined }).map(([name, text]) => [
    `${agent}/${name}`,
    text,
  ]);
  return memoryHost({ files: { ...Object.fromEntries(files), [path]: { content: token, mode: 0o600 } } });
}

function without(file: string) {
  const host = world('swordfish\n');
  host.files.remove(file);
  return host;
}

describe('caPin', () => {
  test.each([
    ['a password', 'swordfish', `K10${hash}::node:swordfish`],
    ['a bootstrap token', 'abcdef.0123456789abcdef', `K10${hash}::abcdef.0123456789abcdef`],
    [
      'a bootstrap token without a hash',
      'K10::abcdef.0123456789abcdef',
      `K10${hash}::abcdef.0123456789abcdef`,
    ],
  ])('pins the CA in %s once the agent has joined', async (_name, token, expected) => {
    const host = world(`${token}\n`);
    expect(await settle(caPin(aNode('agent'), 'ca-pin', []), host)).toEqual([
      'Drifted (non-blocking) CA',
      'InSync',
    ]);
    expect(host.files.read(path)).toMatchObject({ content: `${expected}\n`, mode: 0o600 });
  });

  test('pins the hash of the root CA in a bundle, as K3s does', async () => {
    const host = world('swordfish\n', { 'kubelet.kubeconfig': 'x', 'server-ca.crt': bundle });
    await settle(caPin(aNode('agent'), 'ca-pin', []), host);
    expect(host.files.text(path)).toBe(`K10${pinnedCa(bundle).hash}::node:swordfish\n`);
  });

  test.each([
    ['the server has sent no certificate yet', world('swordfish\n', {})],
    ['the token from the vault pins a CA', world(`K10${'ab'.repeat(32)}::server:swordfish\n`)],
    ['the token file is empty', world('')],
    ['the CA file is missing', without(`${agent}/server-ca.crt`)],
    [
      'a power loss left the CA file empty',
      world('swordfish\n', { 'kubelet.kubeconfig': 'x', 'server-ca.crt': '' }),
    ],
    [
      'a power loss left only null bytes in the CA file',
      world('swordfish\n', { 'kubelet.kubeconfig': 'x', 'server-ca.crt': '\0'.repeat(600) }),
    ],
    ['the token file is missing', without(path)],
    ['a dry run has fetched no token', world('‹redacted›\n')],
  ])('changes nothing if %s', async (_name, host) => {
    expect(await outcome(caPin(aNode('agent'), 'ca-pin', []), host)).toBe('InSync');
  });

  test('shows no secret in its drift', async () => {
    const found = await caPin(aNode('agent'), 'ca-pin', []).check(world('swordfish\n'));
    expect(JSON.stringify(found)).not.toContain('swordfish');
  });
});

test.each([
  ['swordfish', undefined],
  [`K10${'ab'.repeat(32)}::node:swordfish`, 'abababababab…'],
])(
  'for the token %s, pin shows only the first digits of the CA hashes, and does not block',
  (text, observed) => {
    const token = parseToken(text);
    expect(token && pin(aNode('agent'), token, hash)).toMatchObject({
      state: 'Drifted',
      drift: {
        changes: [{ field: 'CA', observed, desired: `${hash.slice(0, 12)}…` }],
        blocks: false,
      },
    });
  },
);

describe('repin', () => {
  test.each([
    ['swordfish\n', `K10${hash}::node:swordfish\n`],
    [`K10${'ab'.repeat(32)}::server:swordfish\n`, `K10${hash}::node:swordfish\n`],
  ])('pins the CA, no matter what the token pinned before: %j', async (token, expected) => {
    const host = world(token);
    await repin(host, aNode('agent'), hash);
    expect(host.files.read(path)).toMatchObject({ content: expected, mode: 0o600 });
  });

  test.each([`K10${hash}::node:swordfish\n`, '‹redacted›\n'])(
    'does not rewrite a file that pins the CA or contains no token: %j',
    async (token) => {
      const host = world(token);
      await repin(host, aNode('agent'), hash);
      expect(host.journal).toEqual([]);
    },
  );
});

test.each([
  ['without a pin', 'swordfish\n', ca, 'swordfish'],
  ['with the pin of the known CA', `K10${hash}::node:swordfish\n`, ca, 'swordfish'],
  ['with a pin while no CA is known', `K10${hash}::node:swordfish\n`, '', `K10${hash}::node:swordfish`],
  ['that is invalid', 'two words\n', ca, 'two words'],
  ['with the pin of another CA', `K10${hash}::node:swordfish\n`, aCa(), `K10${hash}::node:swordfish`],
])(
  'given a token %s, unpinnedToken removes a pin only if it names the known CA',
  (_name, text, known, expected) => {
    expect(unpinnedToken(text, known)).toBe(expected);
  },
);

test.each([
  [
    'the hash of the CA that the token file pins',
    world(`K10${'ab'.repeat(32)}::server:swordfish\n`),
    'ab'.repeat(32),
  ],
  ['undefined for a token without a pin', world('swordfish\n'), undefined],
  ['undefined without a token file', without(path), undefined],
])('pinnedHash returns %s', async (_name, host, expected) => {
  expect(await pinnedHash(host, aNode('agent').paths)).toBe(expected);
});
