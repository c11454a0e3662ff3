import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filledIn, variables as templateVariables } from './user-data.ts';

const folder = resolve('packaging/terraform');
const files = readdirSync(folder).filter((name) => name.endsWith('.tf'));
const text = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');

describe('the variables of the Terraform configuration', () => {
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

  test('have an example file with all required variables and no unknown one', () => {
    const example = readFileSync(join(folder, 'terraform.tfvars.example'), 'utf8');
    const given = [...example.matchAll(/^(\w+) +=/gm)].map(([, name = '']) => name);
    expect(given.filter((name) => !declared.includes(name))).toEqual([]);
    const required = blocks.filter(([, , body = '']) => !/^ {2}default +=/m.test(body));
    for (const [, name] of required) {
      expect(given).toContain(name);
    }
  });

  test('in the user data match the cloud-init template', () => {
    const [, body = ''] = /templatefile\(.*user-data\.yaml", \{\n([\s\S]*?)\n {2}\}\)/.exec(text) ?? [];
    const given = [...body.matchAll(/^ +(\w+) +=/gm)].map(([, name = '']) => name);
    expect(given.toSorted()).toEqual(templateVariables.toSorted());
  });
});

test('the Terraform configuration puts no secret into the state', () => {
  expect(text).not.toMatch(/^resource "random_password"/m);
  expect(text).not.toMatch(/^ +value +=.*(password|token\b)/m);
  expect(text.match(/^ +value_wo +=/gm)).toHaveLength(3);
});

describe('terraform', () => {
  const missing = spawnSync('terraform', ['version']).error !== undefined;

  test('finds nothing to reformat in the configuration', ({ skip }) => {
    skip(missing, 'needs terraform');
    expect(terraform(['fmt', '-check', '-diff', '-recursive', folder])).toEqual({ status: 0, stdout: '' });
  });

  test('accepts the configuration', ({ skip }) => {
    skip(missing, 'needs terraform');
    const { status, stdout } = terraform([`-chdir=${folder}`, 'providers']);
    expect(status).toBe(0);
    expect(stdout).toContain('hashicorp/azurerm');
  });

  test('fills in the cloud-init template correctly', ({ skip }) => {
    skip(missing, 'needs terraform');
    const values = { slipway_url: 'https://h/$web/x', slipway_sha256: 'ab', config: '{ role: server }' };
    const template = resolve('packaging/cloud-init/user-data.yaml');
    const call = `base64encode(templatefile(${JSON.stringify(template)}, ${JSON.stringify(values)}))\n`;
    const { status, stdout } = terraform([`-chdir=${tmpdir()}`, 'console'], call);
    expect(status).toBe(0);
    expect(Buffer.from(stdout.trim().slice(1, -1), 'base64').toString()).toBe(filledIn(values));
  });
});

/** Runs terraform without the configuration of the user and without the network. */
function terraform(args: readonly string[], input = '') {
  const env = { PATH: process.env.PATH, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' };
  const { status, stdout } = spawnSync('terraform', args, { env, input, encoding: 'utf8' });
  return { status, stdout };
}
