/** Tests how the lab reads the example user data and Terraform's values. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exampleConfig, exampleFiles } from '../lab/example-settings.ts';
import { localIn } from '../lab/terraform-values.ts';

const values = {
  slipway_url: 'https://example.com/slipway',
  slipway_sha256: '0'.repeat(64),
  k3s_token: 'canary',
  server_address: '10.0.0.2',
};

describe('exampleFiles', () => {
  test('returns the files of the user data with their modes, and fills in the variables', () => {
    const [token, config] = exampleFiles('vps-wireguard-agent', values);
    expect(token).toEqual({ path: '/etc/slipway/k3s-token', content: 'canary\n', mode: 0o600 });
    expect(config).toMatchObject({ path: '/etc/slipway/config.yaml', mode: 0o644 });
    expect(config?.content).toContain('  server: 10.0.0.2\n');
  });

  test('throws if a variable of the example has no value', () => {
    const { server_address: _, ...others } = values;
    expect(() => exampleFiles('vps-wireguard-agent', others)).toThrow(
      'The variable server_address of vps-wireguard-agent.yaml has no value.',
    );
  });

  test('throws if the example has no variable for a value', () => {
    expect(() => exampleFiles('vps-wireguard-agent', { ...values, region: 'fra' })).toThrow(
      'vps-wireguard-agent.yaml has no variable region.',
    );
  });
});

describe('exampleConfig', () => {
  const settings = { cloud: 'azure', registries: { servers: ['a.azurecr.io'] } };

  test.each(['user-data', 'oracle'] as const)('returns the settings that a VM gets from %s.yaml', (name) => {
    const [config, ...others] = exampleConfig(name, settings);
    expect(others).toEqual([]);
    expect(config).toMatchObject({ path: '/etc/slipway/config.yaml', mode: 0o644 });
    expect(parse(config?.content ?? '')).toEqual(settings);
  });
});

describe('localIn', () => {
  const text = `locals {
  plain = { list = ["a", "b"], yes = true, none = null, count = -1.5 }
  nested = {
    # A comment with "quotes" and {braces}.
    from    = [var.range]
    empty = {}
    deeper  = {
      label = "a.b/c=\\"d\\"" # another comment
    }
  }
  computed = cidrhost(var.range, 10)
  template = "\${var.range}-1"
}
`;

  test('reads strings, numbers, booleans, null, lists and maps', () => {
    expect(localIn(text, 'plain', {})).toEqual({ list: ['a', 'b'], yes: true, none: null, count: -1.5 });
  });

  test('reads nested maps with comments and variables', () => {
    expect(localIn(text, 'nested', { range: '10.0.0.0/8' })).toEqual({
      from: ['10.0.0.0/8'],
      empty: {},
      deeper: { label: 'a.b/c="d"' },
    });
  });

  test.each([
    ['a function call', 'computed', 'cidrhost'],
    ['a template', 'template', 'var.range'],
    ['a variable without a value', 'nested', 'The variable range has no value.'],
    ['a reference to an undefined local', 'missing', 'There is no local missing.'],
  ])('throws for %s', (_, name, message) => {
    expect(() => localIn(text, name, {})).toThrow(message);
  });
});
