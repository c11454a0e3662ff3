import { expect, test } from 'vitest';
import { inSync } from '../../../../src/agent/core/resource.ts';
import { type Currency, credential } from '../../../../src/agent/resources/credential.ts';
import { nextWake } from '../../../../src/agent/wake.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const path = '/etc/secret';

function resource(currency: Currency) {
  return credential({
    id: 'Credential/secret',
    path,
    summary: 'renew',
    condition: 'Registries',
    isCurrent: () => currency,
    render: async () => 'fresh',
  });
}

test('the end of a credential is the time of the next look', async () => {
  const host = memoryHost({ files: { [path]: { content: 'held', mode: 0o600 } } });
  const until = host.now() + 90_000;
  const made = resource({ ok: true, until, message: 'held' });
  const finding = await made.check(host);
  expect(finding).toEqual(inSync({ until, message: 'held' }));
  const wake = nextWake(host.now(), [{ resource: made, state: 'InSync', until }]);
  expect(wake).toEqual({ at: until, because: 'renew Credential/secret' });
});

test('a credential without an end has no such time', async () => {
  const host = memoryHost({ files: { [path]: { content: 'held', mode: 0o600 } } });
  expect(await resource({ ok: true }).check(host)).toEqual({ state: 'InSync' });
});
