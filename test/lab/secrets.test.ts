import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged } from './executable.ts';
import { type Lab, startLab } from './lab.ts';

const dir = join(tmpdir(), `slipway-secrets-${process.pid}`);

/** The SQLite of the server, in which K3s stores the Secrets of the cluster. */
const database = 'server/var/lib/rancher/k3s/server/db/state.db';

/** The places that must contain each secret. A secret in any other place is a leak. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'join token': ['server/var/lib/slipway/join-token', 'server/var/lib/rancher/k3s/server/token'],
  'agent token': [
    'agent/var/lib/slipway/join-token',
    'observability/var/lib/slipway/join-token',
    'server/var/lib/slipway/agent-token',
    'server/var/lib/rancher/k3s/server/agent-token',
  ],
  'git token': [
    'environment of flux',
    database,
    'server/var/lib/rancher/k3s/server/db/objects/secrets/flux-system/flux-system.json',
  ],
  'Cloudflare token': [
    database,
    'server/var/lib/rancher/k3s/server/db/objects/secrets/cert-manager/cloudflare.json',
  ],
  'token of Entra ID or a registry': ['server', 'agent', 'observability'].flatMap((node) => [
    `${node}/etc/rancher/k3s/registries.yaml`,
    `${node}/var/lib/slipway/logins.json`,
    `${node}/var/lib/rancher/k3s/agent/etc/containerd/config.toml`,
  ]),
};

describe('after a first boot and a rotation', () => {
  let lab: Lab;
  let files: readonly Place[];
  const processes = new Map<string, Place>();

  beforeAll(async () => {
    lab = await startLab({ dir, executable: [packaged], passwordLife: 24_000 });
    const watching = new AbortController();
    const watched = watch(processes, watching.signal);
    lab.start();
    const first = await lab.passwords();
    lab.azure.registry().tokenLifetime = 3 * 3_600_000;
    await lab.waitReady();
    await lab.rotated(first);
    await lab.waitReady();
    watching.abort();
    await watched;
    // What SQLite has not yet moved from its log to the database counts as part of the database.
    files = allFiles(dir).map((file) => ({
      ...file,
      name: relative(dir, file.name).replace(/(state\.db)-wal$/, '$1'),
    }));
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  test.each(Object.keys(allowed))('the %s is in all of its allowed places, and nowhere else', (secret) => {
    const found = [...files, ...processes.values()].filter(({ text }) => holds(lab, secret, text));
    expect([...new Set(found.map(({ name }) => name))].sort()).toEqual([...(allowed[secret] ?? [])].sort());
  });

  test('only its owner can read a file that contains a secret', () => {
    const open = files.filter(
      ({ text, mode }) => mode & 0o077 && Object.keys(allowed).some((secret) => holds(lab, secret, text)),
    );
    expect(open.map(({ name }) => name)).toEqual([]);
  });

  test('the search for secrets covered the command lines and environments of Slipway, K3s, Flux and systemctl', () => {
    const seen = [...processes.keys()].join('\n');
    for (const program of ['slipway', 'k3s', 'flux', 'systemctl']) {
      expect(seen).toContain(program);
    }
  });
});

interface Place {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

function holds(lab: Lab, secret: string, text: string): boolean {
  const { joinToken, agentToken, gitToken, cloudflareToken } = lab.secrets;
  const own: Readonly<Record<string, string>> = {
    'join token': joinToken,
    'agent token': agentToken,
    'git token': gitToken,
    'Cloudflare token': cloudflareToken,
  };
  const value = own[secret];
  if (value !== undefined) {
    return forms(value).some((form) => text.includes(form));
  }
  return /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/.test(text);
}

/** Returns the secret itself, and its base64 form at each of the three alignments. */
function forms(secret: string): readonly string[] {
  const inside = [0, 1, 2].map((skip) => {
    const usable = secret.slice(skip);
    return Buffer.from(usable.slice(0, usable.length - (usable.length % 3))).toString('base64');
  });
  return [secret, ...inside];
}

/**
 * Returns every file below a directory. Skips files that vanish before they are read, because services still run there.
 */
function allFiles(directory: string): readonly Place[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    try {
      if (entry.isDirectory()) {
        return allFiles(path);
      }
      return entry.isFile() ? [placeOf(path)] : [];
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') {
        return [];
      }
      throw thrown;
    }
  });
}

function placeOf(path: string): Place {
  return { name: path, text: readFileSync(path, 'latin1'), mode: lstatSync(path).mode & 0o777 };
}

/**
 * Records in `seen` the command line and the environment of every process of the lab, every 15 ms until `signal`
 * aborts.
 */
async function watch(seen: Map<string, Place>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const pid of descendants(process.pid)) {
      const [line, environment] = [procFile(pid, 'cmdline'), procFile(pid, 'environ')];
      // Skip a process that executed another program between the reads: the environment would be attributed to the
      // wrong program.
      if (line === '' || procFile(pid, 'cmdline') !== line) {
        continue;
      }
      const program = programOf(line);
      for (const [what, text] of [
        ['arguments', line],
        ['environment', environment],
      ] as const) {
        if (text !== '') {
          seen.set(`${what} of ${program} ${text}`, { name: `${what} of ${program}`, text, mode: 0 });
        }
      }
    }
    await sleep(15);
  }
}

/** Returns the name of the program that a process runs; if Node or a shell runs a script, the name of the script. */
function programOf(line: string): string {
  const [first = '', second = ''] = line.split('\0');
  // The stand-ins for K3s and Flux run as shell scripts for a millisecond or two before Node starts.
  const runsScript = ['node', 'sh'].includes(basename(first)) && !second.startsWith('-');
  return basename(runsScript ? second : first);
}

function descendants(pid: number): number[] {
  const children = procFile(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
