import { expect, test } from 'vitest';
import { wantedRegistries } from '../../../../src/agent/parts/registry/registries-yaml.ts';
import { resolveLayers } from '../../../../src/agent/settings/load.ts';

function settingsOf(values: object) {
  return resolveLayers({
    files: [{ origin: 'f', values: { cloud: 'azure', ...values } }],
    tags: [],
    commandLine: [],
  }).settings;
}

test.each([['docker.io'], ['*']])(
  'a mirror %s without a value becomes an empty map, which enables the embedded registry of K3s',
  (name) => {
    const { registries } = settingsOf({ registries: { mirrors: { [name]: null } } });
    expect(wantedRegistries(registries)).toEqual({ mirrors: { [name]: {} }, configs: {} });
  },
);

test.each([
  ['plain text', 'canary:plain'],
  ['base64 without a colon', Buffer.from('canary').toString('base64')],
  ['base64 in the alphabet for URLs', 'dXNlcjpw_-A='],
  ['base64 without a user', Buffer.from(':canary').toString('base64')],
])('the settings refuse auth that is %s, and do not quote it', (_what, auth) => {
  const wrong = () => settingsOf({ registries: { configs: { 'ghcr.io': { auth: { auth } } } } });
  expect(wrong).toThrow(/auth\.auth: must be user:password in base64/);
  expect(wrong).not.toThrow(auth);
});

test('the settings accept auth that is user:password in base64', () => {
  const auth = Buffer.from('user:pass:word').toString('base64');
  const { registries } = settingsOf({ registries: { configs: { 'ghcr.io': { auth: { auth } } } } });
  expect(registries.configs['ghcr.io']?.auth?.auth?.reveal()).toBe(auth);
});

function azureDevOps(url: string): object {
  return { gitops: { engine: 'flux', flux: { provider: 'git', path: 'clusters/a', url } } };
}

test.each(['https://dev.azure.com/org/project/_git/repo', 'https://org@dev.azure.com/org/project/_git/repo'])(
  'the settings accept the Azure DevOps URL %s',
  (url) => {
    expect(settingsOf(azureDevOps(url)).gitops.flux.url).toBe(url);
  },
);

test.each([
  'https://canary@dev.azure.com/org/project/_git/repo',
  'https://org:canary@dev.azure.com/org/project/_git/repo',
  'https://org@example.com/org/project/_git/repo',
])('the settings refuse %s, because the user name in it may be a token, and show the valid form', (url) => {
  expect(() => settingsOf(azureDevOps(url))).toThrow(
    /gitops\.flux\.url: must be .*without a user name, .* https:\/\/dev\.azure\.com\/ORGANIZATION/,
  );
});
