import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { terraform, terraformMissing } from './terraform.ts';
import { filledIn, oracleTemplate, template, variablesIn } from './user-data.ts';

const folder = resolve('packaging/terraform');
const azure = {
  cloud: 'Azure',
  text: configuration(folder),
  at: folder,
  template,
  provider: 'hashicorp/azurerm',
};
const oracle = {
  cloud: 'Oracle Cloud',
  text: configuration(join(folder, 'oracle')),
  at: join(folder, 'oracle'),
  template: oracleTemplate,
  provider: 'oracle/oci',
};

describe.each([azure, oracle])(
  'the variables of the Terraform configuration for $cloud',
  ({ text, at, template }) => {
    const blocks = [...text.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm)];
    const declared = blocks.map(([, name = '']) => name);

    test('are all used, and include every used variable', () => {
      const used = [...text.matchAll(/\bvar\.(\w+)/g)].map(([, name = '']) => name);
      expect([...new Set(used)].toSorted()).toEqual(declared.toSorted());
    });

    test('all have a description', () => {
      const silent = blocks.filter(([, , body = '']) => !/^ {2}description = ".+\."$/m.test(body));
      expect(silent.map(([, name]) => name)).toEqual([]);
    });

    test('have an example file, which sets all required variables and no unknown variable', () => {
      const example = readFileSync(join(at, 'terraform.tfvars.example'), 'utf8');
      const given = [...example.matchAll(/^(\w+) +=/gm)].map(([, name = '']) => name);
      expect(given.filter((name) => !declared.includes(name))).toEqual([]);
      const required = blocks.filter(([, , body = '']) => !/^ {2}default +=/m.test(body));
      for (const [, name] of required) {
        expect(given).toContain(name);
      }
    });

    test('that the user data uses match the cloud-init template', () => {
      const [, body = ''] = /templatefile\(.*\.yaml", \{\n([\s\S]*?)\n +\}\)/.exec(text) ?? [];
      const given = [...body.matchAll(/^ +(\w+) +=/gm)].map(([, name = '']) => name);
      expect(given.toSorted()).toEqual(variablesIn(template).toSorted());
    });
  },
);

test('the Terraform configuration for Azure puts no secret into the state', () => {
  const { text } = azure;
  expect(text).not.toMatch(/^resource "random_password"/m);
  expect(text).not.toMatch(/^ +value +=.*(password|token\b)/m);
  expect(text.match(/^ +value_wo +=/gm)).toHaveLength(3);
});

test('the Terraform configuration for Oracle Cloud contains no secret, which its state would store', () => {
  expect(oracle.text).not.toMatch(/^(resource|ephemeral) "(random|oci_vault_secret)/m);
});

describe('terraform', () => {
  test('finds nothing to reformat in the configuration', ({ skip }) => {
    skip(terraformMissing, 'needs terraform');
    expect(terraform(['fmt', '-check', '-diff', '-recursive', folder])).toEqual({ status: 0, stdout: '' });
  });

  test.for([azure, oracle])('accepts the configuration for $cloud', ({ at, provider }, { skip }) => {
    skip(terraformMissing, 'needs terraform');
    const { status, stdout } = terraform([`-chdir=${at}`, 'providers']);
    expect(status).toBe(0);
    expect(stdout).toContain(provider);
  });

  test('fills in the cloud-init template correctly', ({ skip }) => {
    skip(terraformMissing, 'needs terraform');
    const values = { slipway_url: 'https://h/$web/x', slipway_sha256: 'ab', config: '{ role: server }' };
    const template = resolve('packaging/cloud-init/user-data.yaml');
    const call = `base64encode(templatefile(${JSON.stringify(template)}, ${JSON.stringify(values)}))\n`;
    const { status, stdout } = terraform([`-chdir=${tmpdir()}`, 'console'], call);
    expect(status).toBe(0);
    expect(Buffer.from(stdout.trim().slice(1, -1), 'base64').toString()).toBe(filledIn(values));
  });
});

/** Returns the content of all .tf files in a folder. */
function configuration(at: string): string {
  const files = readdirSync(at).filter((name) => name.endsWith('.tf'));
  return files.map((name) => readFileSync(join(at, name), 'utf8')).join('\n');
}
