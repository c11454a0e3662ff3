import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { inSync } from '../../../../src/agent/engine/resource.ts';
import { Secret } from '../../../../src/agent/engine/secret.ts';
import {
  type CredentialSpec,
  type Currency,
  credential,
} from '../../../../src/agent/resources/credential.ts';
import { nextWake } from '../../../../src/agent/wake.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { settle } from '../a-node.ts';

const path = '/etc/secret';

function resource(currency: Currency, render: CredentialSpec['render'] = async () => 'fresh') {
  return credential({
    id: 'Credential/secret',
    path,
    summary: 'renew',
    condition: 'Registries',
    isCurrent: ({ content }) => (content === 'held' ? currency : { ok: true }),
    render,
  });
}

test('the expiry of a credential is the time of the next check', async () => {
  const host = memoryHost({ files: { [path]: { content: 'held', mode: 0o600 } } });
  const until = host.now() + 90_000;
  const made = resource({ ok: true, until, message: 'held' });
  const finding = await made.check(host);
  expect(finding).toEqual(inSync({ until, message: 'held' }));
  const wake = nextWake(host.now(), [{ resource: made, state: 'InSync', until }]);
  expect(wake).toEqual({ at: until, because: 'renew Credential/secret' });
});

test('a credential without an expiry sets no time for the next check', async () => {
  const host = memoryHost({ files: { [path]: { content: 'held', mode: 0o600 } } });
  expect(await resource({ ok: true }).check(host)).toStrictEqual({ state: 'InSync' });
});

function heldFile(mode = 0o600) {
  return memoryHost({ files: { [path]: { content: 'held', mode } } });
}

function foreignFile() {
  const host = heldFile();
  host.files.give(path, '1000:1000');
  return host;
}

describe('a credential', () => {
  test.each([
    ['is missing', memoryHost(), { field: 'file', observed: undefined, desired: 'present' }],
    ['can be read by others', heldFile(0o644), { field: 'mode', observed: '0644', desired: '0600' }],
    ['belongs to another user', foreignFile(), { field: 'owner', observed: '1000:1000', desired: 'own' }],
  ])('is fetched into a 0600 file that this process owns if the file %s', async (_name, host, change) => {
    const made = resource({ ok: true });
    expect(await made.check(host)).toMatchObject({
      drift: { changes: [change], blocks: true, due: false },
    });
    expect((await settle(made, host)).at(-1)).toBe('InSync');
    expect(host.files.read(path)).toMatchObject({ content: 'fresh', mode: 0o600 });
  });

  test.each([{ blocks: false }, { due: true }, {}])(
    'is fetched if isCurrent returns ok: false with %j',
    async (judged) => {
      const changes = [{ field: 'end', observed: 'soon', desired: 'later' }];
      const host = heldFile();
      const made = resource({ ok: false, changes, ...judged }, async () => new Secret('fresh'));
      expect(await made.check(host)).toMatchObject({
        drift: { changes, blocks: true, due: false, ...judged },
      });
      expect((await settle(made, host)).at(-1)).toBe('InSync');
      expect(host.files.read(path)).toMatchObject({ content: 'fresh', mode: 0o600 });
    },
  );
});

test('content that could be rendered only in part is written, and the failure is reported', async () => {
  const host = memoryHost();
  const failure = new NodeError('RegistryUnavailable', 'away');
  const made = resource({ ok: true }, async () => ({ content: new Secret('part'), failure }));
  expect((await settle(made, host)).at(-1)).toMatch(/^RegistryUnavailable/);
  expect(host.files.read(path)).toMatchObject({ content: 'part', mode: 0o600 });
});
