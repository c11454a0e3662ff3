import { expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import {
  parseRegistries,
  renderRegistries,
  wantedRegistries,
} from '../../../../../src/agent/parts/registry/registries-yaml.ts';
import { someSettings } from '../../a-node.ts';

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

test('refuses to write what does not read back, such as a text that is too long', () => {
  const auth = { username: 'u', password: 'x'.repeat(1_048_577) };
  const { registries } = someSettings({ registries: { configs: { 'a.io': { auth } } } });
  expect(() => renderRegistries(registries, new Map())).toThrow(
    expect.objectContaining({ reason: 'RegistriesInvalid', endedBy: 'person' }),
  );
});

test('wants the passwords of the settings as they are', () => {
  const auth = { username: 'u', password: 'hunter2' };
  const { registries } = someSettings({ registries: { configs: { 'a.io': { auth } } } });
  expect(wantedRegistries(registries).configs).toEqual({ 'a.io': { auth } });
});

test('leaves out what is undefined', () => {
  const { registries } = someSettings();
  const configs = { 'a.io': { tls: undefined } };
  expect(wantedRegistries({ ...registries, configs })).toStrictEqual({
    mirrors: {},
    configs: { 'a.io': {} },
  });
});

test('parses a text of any length once', () => {
  const text = `mirrors: { "*": { endpoint: ["https://mirror.example/${'x'.repeat(70_000)}"] } }`;
  expect(parseRegistries(text)).toBeDefined();
  expect(parseRegistries(text)).toBe(parseRegistries(text));
});
