import { expect, test } from 'vitest';
import { Secret } from '../../../../src/agent/core/secret.ts';
import { parseRegistries, renderRegistries } from '../../../../src/agent/k3s/registries-yaml.ts';
import { someSettings } from './a-node.ts';

test('a login server without a login has an empty one, which keeps its pulls from the mirror of all others', () => {
  const { registries } = someSettings({
    registries: { servers: ['a.io', 'b.io'], mirrors: { '*': { endpoint: ['https://mirror.example'] } } },
  });
  const logins = new Map([['a.io', { username: 'u', password: new Secret('p') }]]);
  expect(parseRegistries(renderRegistries(registries, logins).reveal())?.configs).toEqual({
    'a.io': { auth: { username: 'u', password: 'p' } },
    'b.io': { auth: {} },
  });
});
