import { expect, test } from 'vitest';
import { clouds } from '../../../../../../src/agent/clouds/index.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import {
  credentialRefused,
  pullDenied,
  storageUnreachable,
} from '../../../../../../src/agent/parts/registry/proof/pull-errors.ts';

const away = new NodeError('RegistryUnavailable', 'It does not answer.');

test.each([
  ['azure', /role AcrPull/, /identity of this VM still has its role/, /\*\.blob\.core\.windows\.net/],
  [
    'static',
    /user that static\.registries names/,
    /password in static\.registries/,
    /this machine through to it/,
  ],
] as const)(
  'the errors of a pull describe the repair in the terms that %s uses',
  (cloud, permit, login, storage) => {
    const asked = { server: 'team.example', hints: clouds[cloud].hints };
    expect(pullDenied(asked, 'team.example/a:1', '').message).toMatch(permit);
    expect(credentialRefused(asked, '').message).toMatch(login);
    expect(storageUnreachable(asked, 'storage.example', away).message).toMatch(storage);
  },
);
