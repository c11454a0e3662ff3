import { acquireLock } from '../../../../src/agent/host/files/lock.ts';
import { type Case, canary } from '../world.ts';

const atHome = ['--root', '{root}', '--cloud', 'static'];
const status = 'run/slipway/status.json';

/**
 * Returns the arguments and files of a case whose settings name this path as network.caFile. With `content`, the files
 * include ca.pem with this content.
 */
function trusting(caFile: string, content?: string): Pick<Case, 'args' | 'files'> {
  return {
    args: ['config', ...atHome],
    files: {
      'etc/slipway/config.yaml': `network: { caFile: ${caFile} }`,
      ...(content !== undefined && { 'ca.pem': content }),
    },
  };
}

const inCaFile = /\{root\}\/etc\/slipway\/config\.yaml: network\.caFile:/;

/** Returns a function that makes this process hold the lock at this path below the root until the case ends. */
function held(path: string): NonNullable<Case['arrange']> {
  return (root) => acquireLock(`${root}/${path}`);
}

const whole = {
  ...{
    version: '1',
    updated: '2026-01-01T00:00:00Z',
    nextPass: { at: '2026-01-01T00:00:00Z', because: 'x' },
  },
  ...{ conditions: [], resources: [] },
};

/** Missing, damaged and unusable files on the node, and locks that are already held. */
export const nodeFiles: readonly Case[] = [
  ...(
    [
      ['truncated', '{"version": "1", "conditions": ['],
      ['empty', ''],
      ['binary', '\u0000\u0001'],
      ['a list', '[1]'],
      ['null', 'null'],
      ['without conditions', JSON.stringify({ ...whole, conditions: undefined })],
      ['with invalid conditions', JSON.stringify({ ...whole, conditions: [canary] })],
      ['with an invalid pass', JSON.stringify({ ...whole, nextPass: canary })],
      ['with invalid changes', JSON.stringify({ ...whole, changes: { [canary]: 1 } })],
      ['with an invalid K3s', JSON.stringify({ ...whole, k3s: null })],
    ] as const
  ).map(([what, content]) => ({
    name: `a damaged status: ${what}`,
    args: ['status', '--root', '{root}'],
    files: { [status]: content },
    source: /\{root\}\/run\/slipway\/status\.json/,
    problem: /nothing is known of this node: .* is damaged/,
    repair: /Start the daemon: slipway run --root \{root\}/,
    exitCode: 3,
  })),
  {
    name: 'a missing status',
    args: ['status', '--root', '{root}'],
    source: /\{root\}\/run\/slipway\/status\.json/,
    problem: /nothing is known of this node: .* is not there/,
    repair: /Start the daemon: slipway run --root \{root\}/,
    exitCode: 3,
  },
  {
    name: 'a damaged status while the daemon runs',
    args: ['status', '--root', '{root}'],
    files: { [status]: '{' },
    arrange: held('run/slipway/lock'),
    source: /\{root\}\/run\/slipway\/status\.json/,
    problem: /is damaged/,
    repair: /writes it at the end of its next pass: wait for that/,
  },
  {
    name: 'a directory in place of status.json',
    args: ['status', '--root', '{root}'],
    files: { [status]: { is: 'directory' } },
    source: /Cannot read \{root\}\/run\/slipway\/status\.json:/,
    problem: /it is not a regular file/,
    repair: /Put a file with its text there/,
  },
  {
    name: 'apply while the lock is held',
    args: ['apply', ...atHome, '--role', 'server'],
    arrange: held('run/slipway/lock'),
    source: /\{root\}\/run\/slipway\/lock/,
    problem: /AlreadyRunning: Another slipway \(process \d+\) holds/,
    repair: /Wait until it is done, or stop it: systemctl stop slipway/,
  },
  {
    name: 'uninstall during an install',
    args: ['uninstall', '--root', '{root}'],
    arrange: held('run/slipway/setup.lock'),
    source: /\{root\}\/run\/slipway\/setup\.lock/,
    problem: /AlreadyRunning: Another slipway \(process \d+\) holds/,
    repair: /Wait until it is done/,
  },
  {
    name: 'a file in place of the folder of the lock',
    args: ['apply', ...atHome, '--role', 'server'],
    files: { 'run/slipway': canary },
    source: /Cannot lock \{root\}\/run\/slipway\/lock:/,
    problem: /EEXIST|ENOTDIR/,
    repair: /Check what is at that path/,
  },
  {
    name: 'a directory in place of the lock file',
    args: ['apply', ...atHome, '--role', 'server'],
    files: { 'run/slipway/lock': { is: 'directory' } },
    source: /Cannot lock \{root\}\/run\/slipway\/lock:/,
    problem: /it is a directory \(EISDIR\)/,
    repair: /Check what is at that path/,
  },
  {
    name: 'a missing network.caFile',
    ...trusting('{root}/ca.pem'),
    source: inCaFile,
    problem: /names \{root\}\/ca\.pem, which does not exist/,
    repair: /put the CAs there, or correct the path/,
  },
  {
    name: 'a relative path as network.caFile',
    ...trusting('ca.pem'),
    source: inCaFile,
    problem: /must be an absolute path/,
    repair: /such as \/etc\/ssl/,
  },
  {
    name: 'a directory as network.caFile',
    ...trusting('{root}/etc'),
    source: inCaFile,
    problem: /Cannot read \{root\}\/etc: it is not a regular file/,
    repair: /Put a file with its text there/,
  },
  {
    name: 'a private key as network.caFile',
    ...trusting('{root}/ca.pem', `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----\n`),
    source: inCaFile,
    problem: /which holds no certificate/,
    repair: /put the CAs there as PEM/,
  },
  {
    name: 'a damaged certificate as network.caFile',
    ...trusting('{root}/ca.pem', `-----BEGIN CERTIFICATE-----\n${canary}\n-----END CERTIFICATE-----\n`),
    source: inCaFile,
    problem: /whose certificate 1 is damaged/,
    repair: /put its PEM text there again/,
  },
  {
    name: 'a missing network.caFile, for a plan',
    ...trusting('{root}/ca.pem'),
    args: ['plan', ...atHome, '--role', 'server'],
    source: inCaFile,
    problem: /which does not exist/,
    repair: /correct the path/,
  },
];
