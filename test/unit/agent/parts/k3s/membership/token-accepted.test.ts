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

/** A server that accepts the password `swordfish` and bootstrap tokens `abcdef.…`. */
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

describe('an agent that joins', () => {
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
  ] as const)('%s', async (_name, token, vault, expected) => {
    expect(await settle(agent(vault).resource, world(token))).toEqual(expected);
  });

  test.each(['', '\0'.repeat(600), ca.slice(0, 200)])(
    'is accepted with a damaged CA file and a token that pins the CA: case %#',
    async (damage) => {
      const files = { '/var/lib/rancher/k3s/agent/server-ca.crt': damage };
      const token = `K10${pinnedCa(ca).hash}::node:swordfish`;
      expect(await settle(agent().resource, world(token, files))).toEqual(['InSync']);
    },
  );

  describe('and was part of a cluster', () => {
    const left = { '/var/lib/rancher/k3s/agent/pod-manifests/x': '' };

    test('keeps the pin from a consent, whatever server answers', async () => {
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
      'adds the pin to the password of the vault after %s',
      async (before) => {
        const hash = pinnedCa(ca).hash;
        const host = world(`K10${hash}::node:${before}`, left);
        await settle(agent().resource, host);
        expect(host.files.text(path)).toBe(`K10${hash}::node:swordfish\n`);
      },
    );

    test('accepts a token of the vault that pins another CA', async () => {
      const host = world(`K10${wrongHash}::node:swordfish`, left);
      const full = `K10${pinnedCa(ca).hash}::server:swordfish`;
      expect(await settle(agent(full).resource, host)).toEqual(['Drifted join token', 'InSync']);
      expect(host.files.text(path)).toBe(`${full}\n`);
    });
  });

  test('sends no request in a dry run, which has no token', async () => {
    await expect(agent().resource.check(world('‹redacted›'))).rejects.toThrow(Recorded);
  });

  test('writes the token of the vault to the 0600 file', async () => {
    const host = world('marlin');
    await settle(agent().resource, host);
    expect(await host.readFile(path)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
  });

  test.each([
    [{ status: 503 }, 'ServerNotReady (time)'],
    [{ status: 418 }, 'UnexpectedAnswer (time)'],
    [{ status: 403 }, 'Drifted join token'],
    [unreachable(server), 'ServerUnreachable (time)'],
  ])('is checked by readyz, which answers %j', async (answer, expected) => {
    const host = world('swordfish').onGet(`${server}/v1-k3s/readyz`, answer);
    expect(await outcome(agent().resource, host)).toBe(expected);
  });
});

describe('an agent that has joined is not blocked', () => {
  test('by a dry run, which sends no token', async () => {
    const host = world('swordfish', joined).onGet(`${server}/v1-k3s/readyz`, new Recorded());
    expect(await agent().resource.check(host)).toMatchObject({ state: 'Waiting', blocks: false });
  });

  test.each([
    ['if the server is away', unreachable(server), 'ServerUnreachable (time, non-blocking)'],
    ['if the server is starting', { status: 503 }, 'ServerNotReady (time, non-blocking)'],
  ])('%s', async (_name, ping, expected) => {
    const host = world('swordfish', joined).onGet(`${server}/ping`, ping);
    expect(await outcome(agent().resource, host)).toBe(expected);
  });

  test('by a rejected token, or by a failed request for a new one', async () => {
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

describe('an agent that has joined, by the pin of its token', () => {
  const pinned = (pem: string) => `K10${pinnedCa(pem).hash}::node:swordfish`;

  /** The server shows a CA that the agent does not know, and accepts the token under that CA. */
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
      name: 'keeps the pin of the CA that it has joined',
      shown: ca,
      token: pinned(ca),
      expected: ['InSync'],
      pin: ca,
    },
    {
      name: 'keeps a password without a pin, and does not fetch it again',
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

  test('follows a CA that the known CA certified', async () => {
    const shown = rotated(authority);
    const host = showing(shown, pinned(ca));
    expect(await settle(agent().resource, host)).toEqual(['Drifted (non-blocking) CA', 'InSync']);
    expect(host.files.read(path)).toMatchObject({ content: `${pinned(shown)}\n`, mode: 0o600 });
  });

  test('does not follow a CA whose server does not have its key', async () => {
    const host = showing(rotated(authority), pinned(ca)).onGet(
      `${server}/v1-k3s/readyz`,
      unreachable(server),
    );
    expect(await settle(agent().resource, host)).toEqual(['ServerUnreachable (time, non-blocking)']);
    expect(host.files.text(path)?.trim()).toBe(pinned(ca));
  });

  test('sends no token under a foreign CA', async () => {
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

  test('is joined by its CA as in K3s, with a remark', async () => {
    const host = world('swordfish').onGet(`${server}/v1-k3s/readyz`, ({ trust }) =>
      Object(trust).anyName ? 'ok' : untrusted,
    );
    expect(await agent().resource.check(host)).toMatchObject({
      state: 'InSync',
      message: expect.stringContaining('its certificate does not name 10.0.0.4'),
    });
  });

  test('is not joined under another CA', async () => {
    const host = world('swordfish').onGet(`${server}/v1-k3s/readyz`, untrusted);
    expect(await outcome(agent().resource, host)).toBe('ServerUnreachable (time)');
  });
});
