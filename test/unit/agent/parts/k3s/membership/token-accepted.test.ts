import { describe, expect, test } from 'vitest';
import { NodeError, Recorded } from '../../../../../../src/agent/engine/errors.ts';
import type { Host } from '../../../../../../src/agent/engine/host.ts';
import { reveal } from '../../../../../../src/agent/engine/secret.ts';
import { pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import { tokenAccepted } from '../../../../../../src/agent/parts/k3s/membership/token-accepted.ts';
import { FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { aCa, anAuthority, rotated } from './certificates.ts';

const server = 'https://10.0.0.4:6443';
const path = '/var/lib/slipway/join-token';
const authority = anAuthority();
const ca = authority.certificate;
const joined = { '/var/lib/rancher/k3s/agent/server-ca.crt': ca };

/** Returns an agent with this token, whose server accepts the password `swordfish` and one bootstrap token. */
function world(token: string, files: Record<string, string> = {}): MemoryHost {
  return memoryHost({ files: { [path]: { content: `${token}\n`, mode: 0o600 }, ...files } })
    .onGet(`${server}/ping`, 'pong')
    .onGet(`${server}/cacerts`, ca)
    .onGet(`${server}/v1-k3s/readyz`, (request) => {
      expect(request).toMatchObject({ direct: true, trust: { ca } });
      const shown = reveal(request.headers?.authorization ?? '');
      const good = [`Basic ${btoa('node:swordfish')}`, 'Bearer abcdef.0123456789abcdef'];
      return good.includes(shown) ? 'ok' : { status: 401 };
    });
}

function agent(vault = 'swordfish') {
  const cloud = new FakeCloud({ secrets: { 'k3s-token': vault } });
  return { cloud, resource: tokenAccepted(aNode('agent'), cloud, []) };
}

const wrongHash = 'ab'.repeat(32);

describe('tokenAccepted on an agent that joins', () => {
  test.each([
    ['with a password', 'swordfish', 'swordfish', ['InSync']],
    ['with the full token', `K10${pinnedCa(ca).hash}::server:swordfish`, 'x', ['InSync']],
    ['with a bootstrap token', 'abcdef.0123456789abcdef', 'x', ['InSync']],
    ['with an outdated password', 'marlin', 'swordfish', ['Drifted join token', 'InSync']],
    [
      'with a rejected password that is also in the vault',
      'marlin',
      'marlin',
      ['Drifted join token', 'TokenRejected (person)'],
    ],
    [
      'with the token of another cluster',
      `K10${wrongHash}::server:swordfish`,
      'swordfish',
      ['Drifted join token', 'InSync'],
    ],
    [
      'with the token of another cluster that is also in the vault',
      `K10${wrongHash}::server:swordfish`,
      `K10${wrongHash}::server:swordfish`,
      ['Drifted join token', 'TokenCaMismatch (person)'],
    ],
    ['without a token', '', 'swordfish', ['Waiting SecretEmpty']],
  ] as const)('reports $3 $0', async (_name, token, vault, expected) => {
    expect(await settle(agent(vault).resource, world(token))).toEqual(expected);
  });

  describe('while the server still has the token from before a rotation', () => {
    function rotatedVault(...tokens: readonly string[]) {
      const made = agent(tokens[0]);
      for (const token of tokens.slice(1)) {
        made.cloud.secrets.set('k3s-token', token);
      }
      return made;
    }

    test('joins with the former version of the secret', async () => {
      const host = world('marlin');
      const { resource } = rotatedVault('swordfish', 'marlin');
      expect(await settle(resource, host)).toEqual(['Drifted join token', 'InSync']);
      expect(await host.readFile(path)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
    });

    test('uses the current version again once the server refuses the former one', async () => {
      const host = world('barracuda');
      const { resource } = rotatedVault('barracuda', 'swordfish');
      expect(await settle(resource, host)).toEqual(['Drifted join token', 'InSync']);
      expect(host.files.text(path)).toBe('swordfish\n');
    });

    test.each([
      ['the server refuses the former version, too', ['barracuda', 'marlin']],
      ['the former version is the refused token', ['barracuda', 'marlin', 'barracuda', 'marlin', 'marlin']],
      ['the cloud keeps no former version', ['marlin']],
    ])('reports TokenRejected, and keeps the token file, if %s', async (_name, tokens) => {
      const host = world('marlin');
      expect((await settle(rotatedVault(...tokens).resource, host)).at(-1)).toBe('TokenRejected (person)');
      expect(host.files.text(path)).toBe('marlin\n');
      expect(host.lines()).toEqual([]);
    });

    test("adds the pin of the agent's cluster to the former version of the secret", async () => {
      const hash = pinnedCa(ca).hash;
      const host = world(`K10${hash}::node:marlin`, { '/var/lib/rancher/k3s/agent/pod-manifests/x': '' });
      await settle(rotatedVault('swordfish', 'marlin').resource, host);
      expect(host.files.text(path)).toBe(`K10${hash}::node:swordfish\n`);
    });
  });

  test.each([
    ['empty', ''],
    ['full of zero bytes', '\0'.repeat(600)],
    ['truncated', ca.slice(0, 200)],
  ])('accepts a token that pins the CA if the CA file of the agent is %s', async (_name, damage) => {
    const files = { '/var/lib/rancher/k3s/agent/server-ca.crt': damage };
    const token = `K10${pinnedCa(ca).hash}::node:swordfish`;
    expect(await settle(agent().resource, world(token, files))).toEqual(['InSync']);
  });

  describe('and was part of a cluster', () => {
    const left = { '/var/lib/rancher/k3s/agent/pod-manifests/x': '' };

    test('keeps the pin that was set with consent, no matter which server answers', async () => {
      const host = world(`K10${wrongHash}::node:swordfish`, left);
      const { resource } = agent();
      expect(await settle(resource, host)).toEqual(['Drifted join token', 'TokenCaMismatch (person)']);
      expect(host.files.text(path)).toBe(`K10${wrongHash}::node:swordfish\n`);
      expect(host.lines().join()).not.toContain('readyz');
      const { remedy } = ((await resource.check(host)) as { drift: { remedy(host: Host): Promise<void> } })
        .drift;
      await expect(remedy(host)).rejects.toThrow(`remove that file`);
    });

    test.each(['marlin', 'swordfish'])(
      'adds the pin to the password from the vault if the old password was %s',
      async (before) => {
        const hash = pinnedCa(ca).hash;
        const host = world(`K10${hash}::node:${before}`, left);
        await settle(agent().resource, host);
        expect(host.files.text(path)).toBe(`K10${hash}::node:swordfish\n`);
      },
    );

    test('accepts a token from the vault that pins another CA', async () => {
      const host = world(`K10${wrongHash}::node:swordfish`, left);
      const full = `K10${pinnedCa(ca).hash}::server:swordfish`;
      expect(await settle(agent(full).resource, host)).toEqual(['Drifted join token', 'InSync']);
      expect(host.files.text(path)).toBe(`${full}\n`);
    });
  });

  test('sends no request in a dry run, which has no token', async () => {
    await expect(agent().resource.check(world('‹redacted›'))).rejects.toThrow(Recorded);
  });

  test('replaces a rejected token with the token from the vault, in a 0600 file', async () => {
    const host = world('marlin');
    await settle(agent().resource, host);
    expect(await host.readFile(path)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
  });

  test.each([
    [{ status: 503 }, 'ServerNotReady (time)'],
    [{ status: 418 }, 'UnexpectedAnswer (time)'],
    [{ status: 403 }, 'Drifted join token'],
    [unreachable(server), 'ServerUnreachable (time)'],
  ])('reports $1 if readyz answers $0', async (answer, expected) => {
    const host = world('swordfish').onGet(`${server}/v1-k3s/readyz`, answer);
    expect(await outcome(agent().resource, host)).toBe(expected);
  });
});

describe('tokenAccepted on an agent that has joined', () => {
  test('does not block in a dry run, which sends no token', async () => {
    const host = world('swordfish', joined).onGet(`${server}/v1-k3s/readyz`, new Recorded());
    expect(await agent().resource.check(host)).toMatchObject({ state: 'Waiting', blocks: false });
  });

  test.each([
    ['does not answer', unreachable(server), 'ServerUnreachable (time, non-blocking)'],
    ['is starting', { status: 503 }, 'ServerNotReady (time, non-blocking)'],
  ])('does not block while the server %s', async (_name, ping, expected) => {
    const host = world('swordfish', joined).onGet(`${server}/ping`, ping);
    expect(await outcome(agent().resource, host)).toBe(expected);
  });

  test('does not block if the server rejects the token, even if the vault does not answer', async () => {
    const { cloud, resource } = agent('marlin');
    const host = world('marlin', joined);
    expect(await outcome(resource, host)).toBe('Drifted (non-blocking) join token');
    cloud.fail('secret', new NodeError('VaultUnavailable', 'away'));
    expect(await settle(resource, host)).toEqual([
      'Drifted (non-blocking) join token',
      'VaultUnavailable (time)',
    ]);
  });
});

describe('the token of an agent that has joined', () => {
  const pinned = (pem: string) => `K10${pinnedCa(pem).hash}::node:swordfish`;

  /**
   * Returns an agent that has joined. Its server shows the CA `shown`, and accepts the token only over TLS with that
   * CA.
   */
  function showing(shown: string, token: string): MemoryHost {
    return world(token, joined)
      .onGet(`${server}/cacerts`, shown)
      .onGet(`${server}/v1-k3s/readyz`, ({ trust }) =>
        trust === undefined || typeof trust === 'string' || trust.ca !== pinnedCa(shown).trusted
          ? unreachable(server)
          : 'ok',
      );
  }

  test.each([
    {
      name: 'keeps the pin of the known CA',
      shown: ca,
      token: pinned(ca),
      expected: ['InSync'],
      pin: ca,
    },
    {
      name: 'stays a password without a pin, and is not fetched again',
      shown: ca,
      token: 'swordfish',
      expected: ['InSync'],
      pin: undefined,
    },
  ] as const)('$name', async ({ shown, token, expected, pin }) => {
    const host = showing(shown, token);
    expect(await settle(agent().resource, host)).toEqual(expected);
    expect(host.files.text(path)?.trim()).toBe(pin === undefined ? token : pinned(pin));
  });

  test('gets the pin of a new CA that the known CA certified', async () => {
    const shown = rotated(authority);
    const host = showing(shown, pinned(ca));
    expect(await settle(agent().resource, host)).toEqual(['Drifted (non-blocking) CA', 'InSync']);
    expect(host.files.read(path)).toMatchObject({ content: `${pinned(shown)}\n`, mode: 0o600 });
  });

  test('keeps its pin if the server does not have the key of the new CA', async () => {
    const host = showing(rotated(authority), pinned(ca)).onGet(
      `${server}/v1-k3s/readyz`,
      unreachable(server),
    );
    expect(await settle(agent().resource, host)).toEqual(['ServerUnreachable (time, non-blocking)']);
    expect(host.files.text(path)?.trim()).toBe(pinned(ca));
  });

  test('is not sent to a server with a foreign CA', async () => {
    const host = showing(aCa(), pinned(ca));
    expect(await settle(agent().resource, host)).toEqual(['ServerUnreachable (time, non-blocking)']);
    expect(host.files.text(path)?.trim()).toBe(pinned(ca));
  });

  test('stays rejected if the vault has the same password', async () => {
    const token = pinned(ca).replace('swordfish', 'marlin');
    const { resource } = agent('marlin');
    expect(await settle(resource, world(token, joined))).toEqual([
      'Drifted (non-blocking) join token',
      'TokenRejected (person)',
    ]);
  });
});

describe('a server whose certificate does not name its address', () => {
  const untrusted = new NodeError('TlsUntrusted', 'ERR_TLS_CERT_ALTNAME_INVALID');

  test('is accepted with a remark if it has the CA that the token pins, because K3s accepts it too', async () => {
    const host = world('swordfish').onGet(`${server}/v1-k3s/readyz`, ({ trust }) =>
      Object(trust).anyName ? 'ok' : untrusted,
    );
    expect(await agent().resource.check(host)).toMatchObject({
      state: 'InSync',
      message: expect.stringContaining('its certificate does not name 10.0.0.4'),
    });
  });

  test('is not accepted if it has a different CA', async () => {
    const host = world('swordfish').onGet(`${server}/v1-k3s/readyz`, untrusted);
    expect(await outcome(agent().resource, host)).toBe('ServerUnreachable (time)');
  });
});
