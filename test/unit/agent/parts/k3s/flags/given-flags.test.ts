import { describe, expect, test } from 'vitest';
import {
  configFlags,
  k3sCommandLine,
  unitFlags,
} from '../../../../../../src/agent/parts/k3s/flags/given-flags.ts';

describe('k3sCommandLine', () => {
  test.each<readonly [string, string, Readonly<Record<string, readonly string[]>>]>([
    ['a value after =', '--tls-san=a --v=2', { 'tls-san': ['a'], v: ['2'] }],
    ['a value after a blank', '--tls-san a -v 2', { 'tls-san': ['a'], v: ['2'] }],
    ['a list with commas', '--disable traefik,servicelb', { disable: ['traefik', 'servicelb'] }],
    ['an argument for kubelet with commas', '--kubelet-arg=a=1,b=2', { 'kubelet-arg': ['a=1,b=2'] }],
    ['a switch before a value', '--debug --node-name x', { debug: ['true'], 'node-name': ['x'] }],
    [
      'a value that begins with a dash',
      '--kubelet-arg -v=4 --debug',
      { 'kubelet-arg': ['-v=4'], debug: ['true'] },
    ],
    ['a short name', '-d /data', { 'data-dir': ['/data'] }],
    ['an unknown flag before a known flag', '--new --node-name x', { new: ['true'], 'node-name': ['x'] }],
  ])('parses %s', (_name, words, expected) => {
    const found = k3sCommandLine(['/usr/local/bin/k3s', 'server', ...words.split(' ')]);
    expect(found?.command).toBe('server');
    expect(Object.fromEntries(found?.flags.map(({ name, values }) => [name, values]) ?? [])).toEqual(
      expected,
    );
  });

  test('returns undefined for a wrapper script', () => {
    expect(k3sCommandLine(['/opt/start-k3s.sh', '--node-name', 'x'])).toBeUndefined();
  });
});

test('unitFlags returns each flag with the path of the unit and the line of its ExecStart', () => {
  const text = '[Service]\nExecStart=/usr/local/bin/k3s \\\n server \\\n --node-name=x\n';
  expect(unitFlags(text, '/u')).toEqual([
    { name: 'node-name', values: ['x'], path: '/u', line: 2, adds: false },
  ]);
});

test('configFlags returns each key with its line, and marks a key with a plus as appending', () => {
  const text = 'debug: true\n"data-dir": /data\nnode-label+: [a=b, c=d]\n';
  expect(configFlags(text, '/c').map(({ name, line, adds, values }) => [name, line, adds, values])).toEqual([
    ['debug', 1, false, ['true']],
    ['data-dir', 2, false, ['/data']],
    ['node-label', 3, true, ['a=b', 'c=d']],
  ]);
});
