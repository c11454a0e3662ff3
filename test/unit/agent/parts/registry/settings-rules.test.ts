import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { registries as section } from '../../../../../src/agent/parts/registry/settings.ts';
import { url } from '../../../../../src/agent/settings/address-forms.ts';
import { consentAdvice } from '../../../../../src/agent/settings/consents.ts';
import { pathText } from '../../../../../src/agent/settings/path.ts';
import { misfitsOf } from '../../../../../src/agent/settings/section.ts';

const server = 'team.azurecr.io';

function advice(subject: string): string {
  return `or ${consentAdvice({ consent: {} }, 'foreignMirrors', subject)}`;
}

function found(registries: object, more: object = {}): readonly string[] {
  const written = { registries: { servers: [server, 'two.azurecr.io'], ...registries }, ...more };
  return misfitsOf({ registries: section }, written).map(
    ({ path, message }) => `${pathText(path)}: ${message}`,
  );
}

function mirroredAt(endpoint: unknown, name = server): readonly string[] {
  return found({ mirrors: { [name]: { endpoint: [endpoint] } } });
}

test('a login server must not have a login in the settings', () => {
  const configs = { [server]: { auth: {} }, 'b.io': { auth: {} }, 'two.azurecr.io': { auth: null } };
  expect(found({ configs })).toEqual([
    `registries.configs."${server}".auth: is written by Slipway for a registry in registries.servers; leave this out, or take the registry off that list`,
  ]);
});

describe('the URL of a mirror of a login server', () => {
  test.each([
    'https://team.azurecr.io',
    'https://team.azurecr.io/v2/mirror',
    'https://TEAM.azurecr.io',
    'https://team.azurecr.io:443',
    'https://team.azurecr.io:443/v2',
    'https://two.azurecr.io',
  ])('may be %s', (endpoint) => {
    expect(mirroredAt(endpoint)).toEqual([]);
  });

  test.each([
    ['https://mirror.example', 'mirror.example'],
    ['https://Mirror.example', 'Mirror.example'],
    ['https://mirror.example/team.azurecr.io', 'mirror.example'],
    ['https://team.azurecr.io.mirror.example', 'team.azurecr.io.mirror.example'],
    ['https://notteam.azurecr.io', 'notteam.azurecr.io'],
    ['https://team.azurecr.io:8443', 'team.azurecr.io:8443'],
    ['https://team.azurecr.io:4433', 'team.azurecr.io:4433'],
    ['https://team.azurecr.io.', 'team.azurecr.io.'],
    ['https://team.azurecr.io%2e', 'team.azurecr.io%2e'],
    ['https://team.azurecr.io\\.mirror.example', 'team.azurecr.io\\.mirror.example'],
    ['https://team。azurecr.io', 'team。azurecr.io'],
    ['https://10.0.0.5:5000', '10.0.0.5:5000'],
    ['https://[fd00::5]:5000/v2', '[fd00::5]:5000'],
    ['http://mirror.example:5000', 'anyone between this node and mirror.example:5000'],
    ['http://team.azurecr.io', 'anyone between this node and team.azurecr.io'],
  ])('may not be %s without consent', (endpoint, who) => {
    const origin = endpoint.toLowerCase().replace(/^(\w+:\/\/[^/]+)\/.*$/, '$1');
    expect(mirroredAt(endpoint)).toEqual([
      `registries.mirrors."${server}".endpoint[0]: would show the credential of ${server} to ${who}, since containerd offers it to each mirror that it asks; take it out, ${advice(`${server}=${origin}`)}`,
    ]);
  });

  test('needs consent at each position of the list, with a rewrite, and for a name with a port', () => {
    const endpoint = [`https://${server}`, 'https://mirror.example'];
    const mirrors = { [`${server}:443`]: { endpoint, rewrite: { '^(.*)$': 'team/$1' } } };
    expect(found({ mirrors })).toEqual([
      expect.stringContaining(`registries.mirrors."${server}:443".endpoint[1]: would show`),
    ]);
  });

  test('needs consent for a login server that is an IP address', () => {
    const [own] = found({
      servers: ['[fd00::5]'],
      mirrors: { '[fd00::5]:5000': { endpoint: ['https://mirror.example'] } },
    });
    expect(own).toContain('would show the credential of [fd00::5] to mirror.example');
  });

  test('needs no consent if the mirror is for another registry', () => {
    expect(mirroredAt('https://mirror.example', 'docker.io')).toEqual([]);
    expect(mirroredAt('http://mirror.example', '*')).toEqual([]);
    expect(mirroredAt('http://mirror.example', 'x.team.azurecr.io')).toEqual([]);
  });

  test.each([
    ['has a user', 'https://team.azurecr.io@mirror.example'],
    ['has a user and password', 'https://team.azurecr.io:443@mirror.example'],
    ['has no scheme', 'mirror.example'],
    ['has a scheme other than http and https', 'git+https://mirror.example'],
    ['is a number', 5],
    ['is null', null],
  ])('is rejected by the schema if it %s', (_name, endpoint) => {
    expect(z.safeParse(url, endpoint).success).toBe(false);
    expect(mirroredAt(endpoint)).toEqual([]);
  });

  test('is accepted with consent for this login server and mirror', () => {
    const mirrors = { [server]: { endpoint: ['http://mirror.example'] } };
    const given = (foreignMirrors: unknown) => found({ mirrors }, { consent: { foreignMirrors } });
    expect(given([`${server}=http://mirror.example`])).toEqual([]);
    expect(given(true)).toEqual([]);
    expect(given('true')).toHaveLength(1);
    expect(given([`${server}=https://mirror.example`])).toHaveLength(1);
    expect(given(['two.azurecr.io=http://mirror.example'])).toHaveLength(1);
  });
});

describe('the setting insecure_skip_verify', () => {
  const skip = (name: string, value: unknown = true) => ({
    configs: { [name]: { tls: { insecure_skip_verify: value } } },
  });

  test.each([server, `${server}:443`])('needs consent for the login server %s', (name) => {
    expect(found(skip(name))).toEqual([
      `registries.configs."${name}".tls.insecure_skip_verify: would show the credential of ${server} to any server that answers under its name; take it out and name the CA that signed its certificate in ca_file, ${advice(`${server}=insecure_skip_verify`)}`,
    ]);
    const foreignMirrors = [`${server}=insecure_skip_verify`];
    expect(found(skip(name), { consent: { foreignMirrors } })).toEqual([]);
  });

  test('needs no consent if it is false or set for another registry', () => {
    expect(found(skip(server, false))).toEqual([]);
    expect(found(skip('docker.io'))).toEqual([]);
  });
});

describe('the images of registries.proof', () => {
  test.each([
    [[`${server}/base:1`, `${server}/other:1`, 'two.azurecr.io/a/b:2'], []],
    [
      [`${server}/base:1`, 'docker.io/library/alpine:3'],
      [
        `registries.proof[1]: is an image of docker.io, which is not in registries.servers (${server}, two.azurecr.io); name an image of one of those, or add the registry there`,
      ],
    ],
    [['base:1', 7, 'me@docker.io/a', 'docker.io/a b'], []],
  ])('with the names %j cause the problems %j', (proof, expected) => {
    expect(found({ proof })).toEqual(expected);
    expect(found({ proof }, { consent: { foreignMirrors: true } })).toEqual(expected);
  });

  test('are a problem without a login server', () => {
    expect(found({ servers: [], proof: [`${server}/base:1`] })[0]).toContain('registries.servers (none)');
  });
});

test.each([undefined, 'text', { servers: 'a', mirrors: [], configs: 3, proof: 'b' }])(
  'registryMisfits ignores settings of the wrong type: %j',
  (registries) => {
    expect(misfitsOf({ registries: section }, { registries })).toEqual([]);
  },
);
