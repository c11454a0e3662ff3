import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waiting } from '../../../../../src/agent/engine/resource.ts';
import { parseLogins } from '../../../../../src/agent/parts/registry/answer/logins.ts';
import { formerLogins, formerLoginsGone } from '../../../../../src/agent/parts/registry/former-logins.ts';
import { renderLogins } from '../../../../../src/agent/parts/registry/login-store.ts';
import { registriesFile } from '../../../../../src/agent/parts/registry/registries-file.ts';
import { loginsRenewed } from '../../../../../src/agent/parts/registry/renewal.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { FakeCloud } from '../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const hour = 3_600_000;
const [one, two, three] = ['one.azurecr.io', 'two.azurecr.io', 'three.azurecr.io'] as const;
/**
 * The time at which the former release received its logins. Kubelet's plugin fetched the login of `two` half an hour
 * later.
 */
const received = Date.UTC(2026, 0, 1);
const fetched = received + hour / 2;

const paths = nodePaths('/');
const yaml = paths.k3s.registries;
const cache = paths.slipway.formerLogins;
const store = paths.slipway.logins;

/** Returns the content of a file that the last release without a login store wrote (commit 173fedd). */
const written = (name: string) => readFileSync(join(import.meta.dirname, 'before-the-store', name), 'utf8');
const texts = { [yaml]: written('registries.yaml'), [cache]: written('registry-logins.json') };

function world(changes: Readonly<Record<string, string | undefined>> = {}): MemoryHost {
  const host = memoryHost({ now: received + hour });
  for (const [path, text] of Object.entries({ ...texts, ...changes })) {
    if (text !== undefined) {
      host.files.write(path, text, 0o600);
    }
  }
  return host;
}

async function times(host: MemoryHost) {
  const logins = Object.entries(await formerLogins(host, paths));
  return Object.fromEntries(logins.map(([name, { receivedAt, until }]) => [name, [receivedAt, until]]));
}

const inFile = [received, received + 3 * hour];

test('formerLogins returns the later login of each server, with the expiry of its token, if any', async () => {
  expect(await times(world())).toEqual({
    [one]: inFile,
    [two]: [fetched, fetched + 3 * hour],
    [three]: [received, undefined],
  });
});

test('formerLogins returns no expiry for a password that does not expire', async () => {
  expect((await formerLogins(world(), paths))[three]).toStrictEqual({
    username: 'fake-user',
    password: 'a "password" # without an end',
    receivedAt: received,
  });
});

test('the cache and the receipts in registries.yaml stay until a store exists', async () => {
  const host = world();
  const node = aNode('agent', { settings: { registries: { servers: [one, two, three] } } });
  const dependants = [formerLoginsGone(node, []), ...registriesFile(node, [])];
  for (const each of dependants) {
    expect(await each.check(host)).toEqual(
      waiting('Blocked', `waits for ${store}`, { after: 60_000, blocks: false }),
    );
  }
  expect(await formerLogins(host, paths)).toEqual(await formerLogins(world(), paths));
  host.files.write(store, renderLogins(await formerLogins(host, paths)).reveal(), 0o600);
  for (const each of dependants) {
    expect((await settle(each, host)).at(-1)).toBe('InSync');
  }
  expect(await formerLogins(host, paths)).toEqual({});
});

test('formerLoginsGone removes the cache once a store exists', async () => {
  const host = world();
  host.files.write(store, '', 0o600);
  expect(await settle(formerLoginsGone(aNode('agent'), ['Needed']), host)).toEqual([
    `Drifted ${cache}`,
    'InSync',
  ]);
  expect(host.files.stat(cache)).toBeUndefined();
  expect(formerLoginsGone(aNode('agent'), ['Needed'])).toMatchObject({
    needs: ['Needed'],
    condition: 'CredentialProvider',
  });
});

test('loginsRenewed writes the former logins to the store, without a request to the cloud', async () => {
  const host = world();
  const cloud = new FakeCloud({ registries: [one, two, three], clock: host });
  const node = aNode('agent', { settings: { registries: { servers: [one, two, three] } } });
  const [resource] = loginsRenewed(node, { cloud, rotateAt: (after) => after + 2 * hour });
  const before = await formerLogins(host, paths);
  expect(resource && (await settle(resource, host))).toEqual(['Drifted file', 'InSync']);
  expect(parseLogins(host.files.text(store) ?? '')).toEqual(before);
  expect(cloud.calls).toEqual([]);
});

describe('formerLogins returns the remaining logins', () => {
  test.each([
    [
      'if the cache is missing, as after a reboot',
      { [cache]: undefined },
      { [one]: inFile, [two]: inFile, [three]: [received, undefined] },
    ],
    [
      'if registries.yaml is missing',
      { [yaml]: undefined },
      { [one]: inFile, [two]: [fetched, fetched + 3 * hour], [three]: [received, undefined] },
    ],
    [
      'if the cache is damaged',
      { [cache]: texts[cache]?.slice(0, -9) },
      { [one]: inFile, [two]: inFile, [three]: [received, undefined] },
    ],
    [
      'if registries.yaml has no receipts',
      { [yaml]: texts[yaml]?.replaceAll(/^#.*\n/gm, ''), [cache]: undefined },
      {},
    ],
    [
      'if passwords were edited by hand',
      { [yaml]: texts[yaml]?.replaceAll(/eyJ/g, 'eyK'), [cache]: undefined },
      { [three]: [received, undefined] },
    ],
    [
      'if receipts have an invalid time',
      { [yaml]: texts[yaml]?.replaceAll(/received \S+/g, 'received then'), [cache]: undefined },
      {},
    ],
    ['if registries.yaml is malformed', { [yaml]: '{', [cache]: undefined }, {}],
    [
      'if receipts are part of longer comments',
      {
        [yaml]: texts[yaml]?.replaceAll(/^# one/gm, '# # one').replaceAll(/(^# t.*$)/gm, '$1 or so'),
        [cache]: undefined,
      },
      {},
    ],
    [
      'if receipts name servers without a login',
      { [yaml]: texts[yaml]?.replaceAll(/^# (one|two)/gm, '# no-$1'), [cache]: undefined },
      { [three]: [received, undefined] },
    ],
    ['if both files are missing', { [yaml]: undefined, [cache]: undefined }, {}],
  ])('%s', async (_, changes, expected) => {
    expect(await times(world(changes))).toMatchObject(expected);
    expect(Object.keys(await times(world(changes))).sort()).toEqual(Object.keys(expected).sort());
  });

  test.each([yaml, cache])(
    'without the logins in %s if other users can read or own the file',
    async (path) => {
      const host = world();
      for (const each of [yaml, cache]) {
        if (each !== path) {
          host.files.remove(each);
        }
      }
      host.files.changeMode(path, 0o644);
      expect(await formerLogins(host, paths)).toEqual({});
      host.files.changeMode(path, 0o600);
      host.files.give(path, '1000:1000');
      expect(await formerLogins(host, paths)).toEqual({});
    },
  );
});
