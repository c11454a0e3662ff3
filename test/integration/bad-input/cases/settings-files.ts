import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, canary } from '../world.ts';

const own = 'etc/slipway/config.yaml';
const args = ['config', '--root', '{root}', '--cloud', 'static'];
const aServer = ['plan', '--root', '{root}', '--cloud', 'static', '--role', 'server'];
const againstNew = [...aServer, '--against', '{root}/new.yaml'];

/** Settings files that cannot be read or parsed. */
const unreadable: readonly Case[] = [
  {
    name: 'a missing file after --config',
    args: [...args, '--config', '{root}/mine.yaml'],
    source: /\{root\}\/mine\.yaml:/,
    problem: /does not exist/,
    repair: /check the path after --config/,
  },
  {
    name: 'a directory after --config',
    args: [...args, '--config', '{root}'],
    source: /Cannot read \{root\}:/,
    problem: /it is not a regular file/,
    repair: /Put a file with its text there/,
  },
  {
    name: 'a directory',
    args,
    files: { [own]: { is: 'directory' } },
    source: /\{root\}\/etc\/slipway\/config\.yaml:/,
    problem: /it is not a regular file/,
    repair: /Put a file with its text there/,
  },
  {
    name: 'a file without permission to read',
    args,
    files: { [own]: `role: ${canary}` },
    arrange: withoutRight,
    source: /PermissionDenied: Cannot read \{root\}\/etc\/slipway\/config\.yaml:/,
    problem: /the system refuses access \(EACCES\)/,
    repair: /Run as root/,
  },
  {
    name: 'a link to itself',
    args,
    files: { [own]: { is: 'link', to: 'config.yaml' } },
    source: /Cannot read \{root\}\/etc\/slipway\/config\.yaml:/,
    problem: /links lead in a circle \(ELOOP\)/,
    repair: /Check what is at that path/,
  },
  {
    name: 'a dangling link',
    args,
    files: { 'etc/slipway/config.d/10-mine.yaml': { is: 'link', to: '/nowhere' } },
    source: /\{root\}\/etc\/slipway\/config\.d\/10-mine\.yaml:/,
    problem: /is a link that leads nowhere/,
    repair: /repair or remove it/,
  },
  {
    name: 'a file in place of the settings folder',
    args,
    files: { 'etc/slipway/config.d': canary },
    source: /Cannot list \{root\}\/etc\/slipway\/config\.d:/,
    problem: /a file is in the place of a directory/,
    repair: /Check what is at that path/,
  },
  ...(
    [
      [
        'invalid YAML',
        `role: "${canary}`,
        /: line 1, column 15: something is missing/,
        /closing quote or bracket/,
      ],
      [
        'an unclosed list',
        `role: [${canary}`,
        /: line 1, column 15: .* is not closed/,
        /keys of one map begin in one column/,
      ],
      [
        'indentation with a tab',
        `k3s:\n\tversion: ${canary}`,
        /: line 2, column 1: a tab cannot indent/,
        /use spaces/,
      ],
      [
        'a duplicate key',
        'role: agent\nrole: server',
        /: line 2, column 1: this key is there already/,
        /keep one/,
      ],
      [
        'two documents in one file',
        'role: agent\n---\nrole: server',
        /: line 2, column 1: a second document/,
        /keep one/,
      ],
      [
        'uneven indentation',
        'k3s:\n    version: v1\n  server: a',
        /: line 3/,
        /keys of one map begin in one column/,
      ],
      [
        'an alias without an anchor',
        `role: *${canary}`,
        /: line 1, column 7: an alias names no anchor/,
        /in quotes/,
      ],
      [
        'a tag of a programming language',
        `role: !!${canary} x`,
        /: line 1, column 7: a tag is not known/,
        /in quotes/,
      ],
      ['a list', `- ${canary}`, /: line 1, column 1: must be a map of settings/, /such as role: server/],
      ['a single word', canary, /: line 1, column 1: must be a map of settings/, /such as role: server/],
      [
        'a file of more than 1 MiB',
        `# ${'x'.repeat(1_048_576)}`,
        /: the text is longer than 1 MiB/,
        /keep settings/,
      ],
    ] as const
  ).map(([name, content, problem, repair]) => ({
    ...{ name, args, files: { [own]: content } },
    ...{ source: /InvalidSettings: \{root\}\/etc\/slipway\/config\.yaml: line/, problem, repair },
  })),
  {
    name: 'a binary file',
    args,
    files: { [own]: Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0x02, 0x01, 0x00, 0xff, 0x0a, 0x00]) },
    source: /\{root\}\/etc\/slipway\/config\.yaml: line 1:/,
    problem: /holds bytes that are not text/,
    repair: /save it as UTF-8/,
  },
  {
    name: 'a file in UTF-16',
    args,
    files: { [own]: Buffer.from(`\ufeffrole: ${canary}`, 'utf16le') },
    source: /\{root\}\/etc\/slipway\/config\.yaml: line 1:/,
    problem: /holds bytes that are not text/,
    repair: /save it as UTF-8/,
  },
  {
    name: 'aliases that expand exponentially',
    args,
    files: {
      [own]: `a0: &a0 [${canary}]\n${Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]`).join('\n')}`,
    },
    source: /\{root\}\/etc\/slipway\/config\.yaml: line 1/,
    problem: /has too many aliases/,
    repair: /write their values out/,
  },
];

/**
 * Removes the permission to read the settings file. If the test runs as root, which may read every file, switches to an
 * unprivileged user; the returned function switches back to root.
 */
async function withoutRight(root: string) {
  chmodSync(root, 0o755);
  chmodSync(join(root, own), 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) {
    process.seteuid?.('nobody');
  }
  return async () => {
    if (isRoot) {
      process.seteuid?.(0);
    }
  };
}

/** Faults in each kind of settings file, several faults at once, and a missing file after `--against`. */
const places: readonly Case[] = [
  {
    name: 'a fault in the folder of the administrator',
    args,
    files: { [own]: 'role: agent', 'etc/slipway/config.d/20-log.yaml': 'log: { level: loud }' },
    source: /InvalidSettings: \{root\}\/etc\/slipway\/config\.d\/20-log\.yaml: log\.level:/,
    problem: /must be/,
    repair: /trace, debug, info, warn or error/,
  },
  {
    name: 'a fault in the folder of the vendor',
    args,
    files: { [own]: 'role: agent', 'usr/lib/slipway/config.d/10-image.yml': 'node: { lables: [] }' },
    source: /InvalidSettings: \{root\}\/usr\/lib\/slipway\/config\.d\/10-image\.yml: node\.lables:/,
    problem: /is not a setting/,
    repair: /did you mean `node\.labels`\?/,
  },
  {
    name: 'a fault in the file after --config',
    args: [...args, '--config', '{root}/mine.yaml'],
    files: { [own]: 'role: [', 'mine.yaml': 'imds: { pods: blok }' },
    source: /InvalidSettings: \{root\}\/mine\.yaml: imds\.pods:/,
    problem: /must be block or allow/,
    repair: /did you mean `block`\?/,
  },
  {
    name: 'two faults in one file, and an invalid cloud that --cloud overrides',
    args,
    files: { [own]: `cloud: azur\nregistry: { servers: [${canary}] }\njoinToken: { interval: 10 }` },
    source: /config\.yaml: joinToken\.interval:.*\n\{root\}.*: registry:/,
    problem: /must be a duration above zero/,
    repair: /such as 10s, 5m or 2h; write it as text/,
    lines: 2,
  },
  ...['plan', 'apply'].map((command) => ({
    name: `a fault in the file, for ${command}`,
    args: [command, '--root', '{root}', '--cloud', 'static', '--role', 'server'],
    files: { [own]: 'registries: { server: [team.azurecr.io] }' },
    source: /InvalidSettings: \{root\}\/etc\/slipway\/config\.yaml: registries\.server:/,
    problem: /is not a setting/,
    repair: /did you mean `registries\.servers`\?/,
  })),
  {
    name: 'a fault in the file, for a plan as JSON',
    args: ['plan', '--root', '{root}', '--cloud', 'static', '-o', 'json'],
    files: { [own]: 'tags: { role: "no" }' },
    source: /InvalidSettings: \{root\}\/etc\/slipway\/config\.yaml: tags\.role:/,
    problem: /must be true or false/,
    repair: /without quotes/,
  },
  {
    name: 'a fault in the file after --against',
    args: againstNew,
    files: { 'new.yaml': 'k3s: { version: 1.36.3 }' },
    source: /InvalidSettings: \{root\}\/new\.yaml: k3s\.version:/,
    problem: /must be a K3s release/,
    repair: /such as v1\.36\.3\+k3s1/,
  },
  {
    name: 'a missing file after --against',
    args: againstNew,
    source: /\{root\}\/new\.yaml:/,
    problem: /does not exist/,
    repair: /check the path after --against/,
  },
];

export const settingsFiles: readonly Case[] = [...unreadable, ...places];
