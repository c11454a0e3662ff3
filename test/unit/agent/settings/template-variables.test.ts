import { describe, expect, test } from 'vitest';
import { k3sSettingsProblems } from '../../../../src/agent/parts/k3s/flags/config-keys.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { unfilledLines, unfilledVariables } from '../../../../src/agent/settings/template-variables.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

const own = '/etc/slipway/config.yaml';
const repair =
  'was not filled in; give it a value when this is rendered, such as by templatefile(...) in Terraform';

function problems(files: Readonly<Record<string, string>>) {
  return problemsOf(() => load(memoryHost({ files }), { paths: nodePaths('/'), check: k3sSettingsProblems }));
}

describe('an unfilled template variable', () => {
  test.each([
    [`azure:\n  keyVault:\n    name: \${key_vault_name}`, 'azure.keyVault.name', 'key_vault_name'],
    [`registries: { servers: ["\${acr}.azurecr.io"] }`, 'registries.servers[0]', 'acr'],
    [`registries:\n  servers: \${acr}`, 'registries.servers', 'acr'],
    [`cloud: \${CLOUD:-azure}`, 'cloud', 'CLOUD'],
    [`role: \${ var.role }`, 'role', 'var.role'],
    [`joinToken: { attempts: "\${attempts}" }`, 'joinToken.attempts', 'attempts'],
    [`azure:\n  \${section}: { name: x }`, `azure."\${section}"`, 'section'],
    [`k3s:\n  config:\n    \${key}: \${value}`, `k3s.config."\${key}"`, 'key'],
    [`registries:\n  configs:\n    "\${acr}": {}`, `registries.configs."\${acr}"`, 'acr'],
    [`gitops:\n  flux:\n    url: \${git_url}`, 'gitops.flux.url', 'git_url'],
  ])('is the only problem of its setting: %j', async (yaml, path, name) => {
    expect(await problems({ [own]: yaml })).toEqual([
      `${own}: ${path}: the template variable \${${name}} ${repair}`,
    ]);
  });
});

test('unfilled template variables are reported with their file, together with other problems', async () => {
  const files = {
    [own]: `role: \${role}\nclod: azure`,
    '/etc/slipway/config.d/vault.yaml': `azure: { keyVault: { name: "\${vault}" } }`,
  };
  expect(await problems(files)).toEqual([
    `/etc/slipway/config.d/vault.yaml: azure.keyVault.name: the template variable \${vault} ${repair}`,
    `${own}: role: the template variable \${role} ${repair}`,
    expect.stringContaining(`${own}: clod: is not a setting`),
  ]);
});

test('an unfilled template variable that a later file overrides is ignored', async () => {
  expect(await problems({ [own]: `role: \${role}`, '/etc/slipway/config.d/1.yaml': 'role: agent' })).toEqual(
    [],
  );
});

test('unfilled template variables in flow maps and lists, which are invalid YAML, are reported by line', async () => {
  const yaml = `# fill in \${this}\nazure:\n  keyVault: { name: \${vault} }  # \${that}\nregistries:\n  servers: [\${acr}]\n`;
  expect(await problems({ [own]: yaml })).toEqual([
    `${own}: line 3: the template variable \${vault} ${repair}`,
    `${own}: line 5: the template variable \${acr} ${repair}`,
  ]);
  expect(unfilledLines('a: { b: [c }')).toEqual([]);
});

test.each([
  ['a variable of kubelet', 'k3s: { config: { kubelet-arg: ["a=$(NODE_NAME)"] } }'],
  [
    'a numbered group of a rewrite',
    `registries: { mirrors: { a.io: { rewrite: { "^(.*)$": "b/\${1}" } } } }`,
  ],
  [
    'a named group of a rewrite',
    `registries: { mirrors: { a.io: { rewrite: { "^(?P<image>.*)$": "b/\${image}" } } } }`,
  ],
])('unfilledVariables does not report %s', async (_, yaml) => {
  expect(await problems({ [own]: yaml })).toEqual([]);
});

test('the message about an unfilled template variable shows only the name of the variable', () => {
  const [problem] = unfilledVariables(`canary\${name:-canary}canary`, ['role']);
  expect(problem?.message).not.toContain('canary');
});
