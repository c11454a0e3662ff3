import { describe, expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import {
  parseRegistries,
  renderRegistries,
  wantedRegistries,
  withoutAuth,
} from '../../../../../src/agent/parts/registry/registries-yaml.ts';
import { someSettings } from '../../a-node.ts';

const server = 'myteam.azurecr.io';

describe('renderRegistries', () => {
  const logins = new Map([[server, { username: 'user', password: new Secret('p"w: #1') }]]);

  test('writes a login server with its login', () => {
    const { registries: settings } = someSettings({ registries: { servers: [server] } });
    const rendered = renderRegistries(settings, logins);
    expect(
      rendered.reveal(),
    ).toBe(`# Written by Slipway, which renews it; change the settings under registries instead.
"mirrors":
  "myteam.azurecr.io":
    "endpoint":
      - "https://myteam.azurecr.io"
"configs":
  "myteam.azurecr.io":
    "auth":
      "username": "user"
      "password": "p\\"w: #1"
`);
    expect(`${rendered}`).toContain('"password": "‹redacted›"');
    expect(`${rendered}`).not.toContain('#1');
  });

  test('writes the mirrors and other registries of the settings', () => {
    const { registries: settings } = someSettings({
      registries: {
        servers: [server],
        mirrors: {
          [server]: { endpoint: ['https://cache.example.com'] },
          'docker.io': { endpoint: ['https://myteam.azurecr.io'], rewrite: { '^(.*)$': 'hub/$1' } },
        },
        configs: {
          [server]: { tls: { ca_file: '/etc/ca.pem' }, auth: { username: 'theirs' } },
          'ghcr.io': {
            auth: { username: 'robot', password: 'hunter2' },
            tls: { insecure_skip_verify: false },
          },
        },
      },
    });
    const rendered = renderRegistries(settings, logins);
    expect(parseRegistries(rendered.reveal())).toEqual({
      mirrors: {
        [server]: { endpoint: ['https://cache.example.com'] },
        'docker.io': { endpoint: ['https://myteam.azurecr.io'], rewrite: { '^(.*)$': 'hub/$1' } },
      },
      configs: {
        [server]: { auth: { username: 'user', password: 'p"w: #1' }, tls: { ca_file: '/etc/ca.pem' } },
        'ghcr.io': { auth: { username: 'robot', password: 'hunter2' }, tls: { insecure_skip_verify: false } },
      },
    });
    expect(`${rendered}`).not.toContain('hunter2');
  });
});

test.each([
  ['text that is not YAML', '{'],
  ['a duplicate key', 'mirrors: {}\nmirrors: {}\n'],
  ['a list', '- a\n'],
  ['a key that K3s ignores', 'mirror: {}\n'],
  ['an endpoint that is not a list', 'mirrors: { a: { endpoint: "https://a" } }\n'],
  ['an endpoint that is not a URL', 'mirrors: { a: { endpoint: ["not a url"] } }\n'],
])('parseRegistries returns undefined for %s', (_name, text) => {
  expect(parseRegistries(text)).toBeUndefined();
});

test('parseRegistries accepts a name without a value, as the embedded registry requires', () => {
  expect(parseRegistries('mirrors:\n  docker.io:\n  "*":\n')).toEqual({
    mirrors: { 'docker.io': {}, '*': {} },
  });
});

test('withoutAuth removes logins, and keeps mirrors and TLS', () => {
  const configs = { a: { auth: { username: 'u' } }, b: { auth: { username: 'u' }, tls: { ca_file: 'f' } } };
  expect(withoutAuth({ mirrors: {}, configs })).toEqual({
    mirrors: {},
    configs: { b: { tls: { ca_file: 'f' } } },
  });
});

test('renderRegistries writes an empty login for a login server that has none, so that its pulls do not use the mirror for *', () => {
  const { registries } = someSettings({
    registries: { servers: ['a.io', 'b.io'], mirrors: { '*': { endpoint: ['https://mirror.example'] } } },
  });
  const logins = new Map([['a.io', { username: 'u', password: new Secret('p') }]]);
  expect(parseRegistries(renderRegistries(registries, logins).reveal())?.configs).toEqual({
    'a.io': { auth: { username: 'u', password: 'p' } },
    'b.io': { auth: {} },
  });
});

test('renderRegistries throws RegistriesInvalid if its text does not parse to the same content, for example because it is too long', () => {
  const auth = { username: 'u', password: 'x'.repeat(1_048_577) };
  const { registries } = someSettings({ registries: { configs: { 'a.io': { auth } } } });
  expect(() => renderRegistries(registries, new Map())).toThrow(
    expect.objectContaining({ reason: 'RegistriesInvalid', endedBy: 'person' }),
  );
});

test('wantedRegistries keeps the passwords of the settings', () => {
  const auth = { username: 'u', password: 'hunter2' };
  const { registries } = someSettings({ registries: { configs: { 'a.io': { auth } } } });
  expect(wantedRegistries(registries).configs).toEqual({ 'a.io': { auth } });
});

test('wantedRegistries omits undefined values', () => {
  const { registries } = someSettings();
  const configs = { 'a.io': { tls: undefined } };
  expect(wantedRegistries({ ...registries, configs })).toStrictEqual({
    mirrors: {},
    configs: { 'a.io': {} },
  });
});

test('parseRegistries parses the same text only once, no matter how long it is', () => {
  const text = `mirrors: { "*": { endpoint: ["https://mirror.example/${'x'.repeat(70_000)}"] } }`;
  expect(parseRegistries(text)).toBeDefined();
  expect(parseRegistries(text)).toBe(parseRegistries(text));
});
