import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { gitOpsEngines } from '../../../../src/agent/gitops/index.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { secretName, words } from '../../../../src/agent/settings/forms.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { secretNameMisfits } from '../../../../src/agent/settings/secret-names.ts';
import { about, schemasOf } from '../../../../src/agent/settings/section.ts';
import { sectionsWith } from '../../../../src/agent/settings/sections.ts';
import { withMoon } from '../../../lab/made-up-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

async function loaded(content: string): Promise<string> {
  const host = memoryHost({
    files: { '/etc/slipway/config.yaml': content, '/run/cloud-init/cloud-id': 'azure\n' },
  });
  return load(host, { paths: nodePaths('/') }).then(
    () => 'fine',
    ({ message }: Error) => message.replace('/etc/slipway/config.yaml: ', ''),
  );
}

const names = [
  ['joinToken.secretName', (name: string) => `joinToken: { secretName: "${name}" }`],
  ['joinToken.agentSecretName', (name: string) => `joinToken: { agentSecretName: "${name}" }`],
  ['gitops.flux.tokenSecretName', (name: string) => `gitops: { flux: { tokenSecretName: "${name}" } }`],
  ['gitops.argocd.tokenSecretName', (name: string) => `gitops: { argocd: { tokenSecretName: "${name}" } }`],
  ['gitops.argocd.sshKeySecretName', (name: string) => `gitops: { argocd: { sshKeySecretName: "${name}" } }`],
  [
    'gitops.argocd.githubApp.privateKeySecretName',
    (name: string) =>
      `gitops: { argocd: { githubApp: { appId: 1, installationId: 2, privateKeySecretName: "${name}" } } }`,
  ],
] as const;

describe.each(names)('the setting %s', (path, written) => {
  test.each(['k3s_token', 'team/k3s.token', '', 'two words', 'a'.repeat(128)])(
    'refuses "%s" in Azure, and states the rule of Key Vault',
    async (name) => {
      expect(await loaded(written(name))).toBe(`${path}: must be a secret name: letters, digits and dashes`);
    },
  );

  test.each(['my-token', '-', 'a'.repeat(127)])('accepts "%s" in Azure', async (name) => {
    expect(await loaded(written(name))).toBe('fine');
  });

  test.each(['k3s_token', 'team/k3s.token', 'a'.repeat(255)])(
    'accepts "%s" in the static cloud',
    async (name) => {
      expect(await loaded(`cloud: static\n${written(name)}`)).toBe('fine');
    },
  );

  test.each(['', 'two words', 'k3s:token', 'a'.repeat(256)])(
    'refuses "%s" in the static cloud too',
    async (name) => {
      expect(await loaded(`cloud: static\n${written(name)}`)).toBe(
        `${path}: must be a secret name: letters, digits, dashes, underscores, dots and slashes`,
      );
    },
  );
});

test('static.secrets accepts a name with an underscore', async () => {
  expect(await loaded('cloud: static\nstatic: { secrets: { k3s_token: /etc/slipway/token } }')).toBe('fine');
});

test('secretNameMisfits applies the rule of a made-up cloud', () => {
  const written = { cloud: 'moon', joinToken: { secretName: 'k3s-token' } };
  expect(secretNameMisfits(written, withMoon)).toEqual([
    { path: ['joinToken', 'secretName'], message: 'must be the name of a crater' },
  ]);
});

describe('secretNameMisfits', () => {
  const schema = z.strictObject({
    key: about('Of the chest.', secretName),
    spare: z.optional(secretName.check(z.maxLength(20))),
    others: z.array(about('Of what else there is.', secretName)),
    byDoor: z.record(words, secretName),
    ownSecretName: words,
  });
  const found = (chest: object) =>
    secretNameMisfits({ cloud: 'moon', chest }, withMoon, z.object({ chest: schema }));

  test.each([
    ['a setting with any key', { key: 'k3s-token' }, ['chest', 'key']],
    ['an optional setting with a further check', { spare: 'k3s-token' }, ['chest', 'spare']],
    ['a name in a list', { others: ['Tycho', 'k3s-token'] }, ['chest', 'others', 1]],
    ['a name in a map', { byDoor: { front: 'k3s-token' } }, ['chest', 'byDoor', 'front']],
  ])('checks %s', (_name, chest, path) => {
    expect(found(chest)).toEqual([{ path, message: 'must be the name of a crater' }]);
  });

  test.each([
    ['the schema does not declare as a secret name', { ownSecretName: 'k3s-token' }],
    ['does not belong to a setting', { hidden: 'k3s-token' }],
    ['is not a string', { key: 5, spare: null, others: 'k3s-token' }],
  ])('ignores a value that %s', (_name, chest) => {
    expect(found(chest)).toEqual([]);
  });
});

test('secretNameMisfits checks the settings of a made-up engine', () => {
  const harbour = {
    ...gitOpsEngines.none,
    settings: { schema: z.strictObject({ anchor: secretName }), defaults: { anchor: 'Tycho' } },
  };
  const schema = z.object(schemasOf(sectionsWith(withMoon, { ...gitOpsEngines, harbour })));
  const written = { cloud: 'moon', gitops: { harbour: { anchor: 'k3s-token' } } };
  expect(secretNameMisfits(written, withMoon, schema)).toEqual([
    { path: ['gitops', 'harbour', 'anchor'], message: 'must be the name of a crater' },
  ]);
});
