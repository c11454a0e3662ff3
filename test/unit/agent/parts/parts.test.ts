import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { actingMemory } from '../../../../src/agent/acting.ts';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import type { Resource } from '../../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../../src/agent/node.ts';
import { nodeResources, parts, startSources } from '../../../../src/agent/parts/index.ts';
import { renderUnit } from '../../../../src/agent/parts/k3s/service/unit.ts';
import { turnMemory } from '../../../../src/agent/parts/maintenance/index.ts';
import type { Part } from '../../../../src/agent/parts/part.ts';
import { allPlaces, type NodePaths, nodePaths } from '../../../../src/agent/paths.ts';
import { consents } from '../../../../src/agent/settings/consents.ts';
import type { Sections } from '../../../../src/agent/settings/section.ts';
import { sections } from '../../../../src/agent/settings/sections.ts';
import { reasons } from '../../../../src/agent/vocabulary.ts';
import { roles } from '../../../../src/roles/index.ts';
import { neededByK3s, uninstallSteps } from '../../../../src/setup/uninstall-steps.ts';
import { ownedFiles } from '../../../boot/owned-files.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { aHost, told } from '../../setup/a-host.ts';
import { aNode } from '../a-node.ts';

const src = join(import.meta.dirname, '../../../../src');
const paths = nodePaths('/');

/** The entries of the tables that belong to the daemon or setup, not to a part. */
const own = {
  /** The sections in settings/sections, and those of the metrics, GitOps and each cloud. */
  sections: [
    ...sectionsIn('agent/settings/sections'),
    ...sectionsIn('agent/report/metrics'),
    ...['gitops', ...Object.keys(clouds)],
  ],
  consents: ['identityHosts', 'plainHttp'],
  files: [
    ...['/run/slipway/status.json', '/run/slipway/lock', '/run/slipway/lock.held', '/usr/local/bin/flux'],
    paths.slipway.gitopsDownload,
    paths.slipway.gitopsBootstrap,
    paths.slipway.gitopsScratch,
  ],
  /**
   * Paths that no part owns: the settings layers, shared directories, setup's lock, and the files that identify the
   * cloud.
   */
  places: [
    ...paths.slipway.configLayers,
    ...[paths.slipway.state, paths.slipway.setupLock, paths.system.units, paths.system.bin],
    ...[paths.system.cloudId, paths.system.dmi, paths.slipway.credentials],
    paths.k3s.credentialProviderBin,
  ],
};

/** The files, and folders of files, that an uninstall without `--k3s` leaves for K3s outside the state directory. */
const keptWithK3s = [
  ...['/etc/rancher/', '/var/lib/rancher/', '/etc/modules-load.d/', '/etc/sysctl.d/'],
  ...['k3s', '.k3s.next', '.k3s.previous', 'kubectl', 'crictl', 'ctr'].map(
    (name) => `/usr/local/bin/${name}`,
  ),
  ...['k3s', 'k3s-agent', 'slipway-imds-guard'].map((name) => `/etc/systemd/system/${name}.service`),
];

/** A part whose entries belong to other parts or are missing from the tables. */
const forgotten: Part = {
  name: 'forgotten',
  settings: { k3s: { schema: z.strictObject({}), defaults: {} } },
  conditions: ['GitOps'],
  reasons: { RoleChanged: 'It is of K3s.' },
  consents: ['settings'],
  startInputs: [{ name: 'forgotten' }],
  probes: () => [],
  owns: ({ root, k3s }) => [join(root, 'var/lib/forgotten'), k3s.config],
  reads: ({ k3s }) => [k3s.serverToken],
};
const withForgotten = [...parts, forgotten];

interface Source {
  readonly path: string;
  readonly text: string;
}

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(src, path), 'utf8') }));

function partOf({ path }: Source): string | undefined {
  return /^agent\/parts\/(\w+)\//.exec(path)?.[1];
}

/** Returns the names of the settings sections that the files of a folder export. */
function sectionsIn(folder: string): readonly string[] {
  const exported = readdirSync(join(src, folder)).flatMap((name) => [
    ...readFileSync(join(src, folder, name), 'utf8').matchAll(/^export const (\w+) = \{/gm),
  ]);
  return exported.map(([, name = '']) => name).filter((name) => named(name) !== undefined);
}

function named(section: string): Sections[string] | undefined {
  return Object.entries<Sections[string]>(sections).find(([name]) => name === section)?.[1];
}

/**
 * Returns the words that the first group of a pattern matches in the sources of a part, sorted and without duplicates.
 */
function saidBy({ name }: Part, pattern: RegExp): readonly string[] {
  const found = sources
    .filter((source) => partOf(source) === name)
    .flatMap(({ text }) => [...text.matchAll(pattern)]);
  return [...new Set(found.map(([, word = '']) => word))].sort();
}

/** Returns the names that occur twice in the first list, or that only one of the two lists contains. */
function differing(one: readonly string[], other: readonly string[]): readonly string[] {
  const twice = [...one.filter((each, at) => one.indexOf(each) !== at)];
  const missing = [
    ...one.filter((each) => !other.includes(each)),
    ...other.filter((each) => !one.includes(each)),
  ];
  return [...new Set([...twice, ...missing])].sort();
}

describe('the record of a part', () => {
  const check = {
    conditions: (part: Part) =>
      differing(part.conditions, saidBy(part, /\bcondition(?:(?:: ConditionType)? =|:) '(\w+)'/g)),
    consents: (part: Part) =>
      differing(
        part.consents,
        saidBy(part, /\b(?:(?:isConsented|consentAdvice|consentedSubjects)\([\w.]+,|consent:) '(\w+)'/g),
      ),
  };

  test.each(parts.map((part) => [part.name, part] as const))(
    'lists exactly the conditions and consents that the sources of %s use',
    (_, part) => {
      expect([...check.conditions(part), ...check.consents(part)]).toEqual([]);
    },
  );

  test.each(parts.map((part) => [part.name, part] as const))(
    'lists exactly the reasons in reasons.ts of %s',
    async (name, part) => {
      const path = join(src, 'agent/parts', name, 'reasons.ts');
      const tables: object = existsSync(path) ? await import(path) : {};
      expect(differing(Object.keys(part.reasons), Object.values(tables).flatMap(Object.keys))).toEqual([]);
    },
  );

  test.each(parts.map((part) => [part.name, part] as const))(
    'lists exactly the sections in settings.ts of %s, which the table of sections also has',
    async (name, part) => {
      const path = join(src, 'agent/parts', name, 'settings.ts');
      const made: object = existsSync(path) ? await import(path) : {};
      expect({ ...part.settings }).toEqual({ ...made });
      for (const [each, section] of Object.entries(part.settings)) {
        expect(named(each)).toBe(section);
      }
    },
  );

  test('is reported if it lists a condition or a consent that the part does not use', () => {
    expect([check.conditions(forgotten), check.consents(forgotten)]).toEqual([['GitOps'], ['settings']]);
  });

  test('exists for each folder in agent/parts, and for no other folder', () => {
    const folders = new Set(sources.flatMap((source) => partOf(source) ?? []));
    expect(
      differing(
        parts.map(({ name }) => name),
        [...folders],
      ),
    ).toEqual([]);
  });
});

describe('in the tables of all parts', () => {
  const unowned = {
    'section of the settings': (table: readonly Part[]) =>
      differing(
        [...table.flatMap((part) => Object.keys(part.settings)), ...own.sections],
        Object.keys(sections),
      ),
    reason: (table: readonly Part[]) => {
      const owned = table.flatMap((part) => Object.keys(part.reasons));
      return differing(
        owned,
        Object.keys(reasons).filter((reason) => owned.includes(reason)),
      );
    },
    consent: (table: readonly Part[]) =>
      differing([...table.flatMap((part) => part.consents), ...own.consents], Object.keys(consents)),
    'input of a start of K3s': (table: readonly Part[]) =>
      differing(
        table.flatMap(({ startInputs }) => startInputs.map(({ name }) => name)),
        startSources.inputs.map(({ name }) => name),
      ),
    path: (table: readonly Part[]) => {
      const owned = table.flatMap((part) => [...part.owns(paths), ...part.reads(paths)]);
      const known = [...owned, ...own.places, ...own.files];
      return differing(known, [...allPlaces(paths), ...known]);
    },
  };
  const expected = {
    'section of the settings': ['k3s'],
    reason: ['RoleChanged'],
    consent: ['settings'],
    'input of a start of K3s': ['forgotten'],
    path: [paths.k3s.config, paths.k3s.serverToken],
  };

  test.each(Object.entries(unowned))('each %s has exactly one owner', (_, check) => {
    expect(check(parts)).toEqual([]);
  });

  test.each(Object.entries(expected))(
    'a part is reported if its %s has another owner or is missing from the table',
    (name, complaints) => {
      expect(Object.entries(unowned).find(([each]) => each === name)?.[1](withForgotten)).toEqual(complaints);
    },
  );
});

describe('a file that a part owns', () => {
  const files = (table: readonly Part[]) => table.flatMap((part) => part.owns(paths));

  test('is listed on the page of owned files, which lists no file without an owner', () => {
    expect(differing([...files(parts), ...own.files], pageFiles())).toEqual([]);
  });

  test('is reported if the page of owned files lacks it', () => {
    expect(differing([...files(withForgotten), ...own.files], pageFiles())).toContain('/var/lib/forgotten');
  });

  test('is in a folder that slipway.service or the unit of K3s may write to', () => {
    expect([...files(parts), ...own.files].filter((path) => !isWritable(path))).toEqual([]);
  });

  test('is reported if neither slipway.service nor the unit of K3s may write to its folder', () => {
    expect(files([forgotten]).filter((path) => !isWritable(path))).toEqual(['/var/lib/forgotten']);
  });

  test('is removed by uninstall --k3s --purge', async () => {
    expect(await leftOf(files(parts))).toEqual([]);
  });

  test('is removed by uninstall --k3s without --purge, unless it is in the state directory or in /run', async () => {
    expect((await leftOf(files(parts), { purge: false })).filter(isOnDisk)).toEqual([]);
  });

  test('is removed by uninstall --purge without --k3s, unless it is in /run or K3s needs it', async () => {
    const left = await leftOf(files(parts), { k3s: false });
    const isKept = (path: string) =>
      keptWithK3s.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
    expect(left.filter((path) => isOnDisk(path) && !isKept(path))).toEqual([]);
    const state = left.filter((path) => path.startsWith(paths.slipway.state));
    expect(differing(state, neededByK3s(paths))).toEqual([]);
  });

  test('is reported if uninstall removes it with no combination of options', async () => {
    for (const extent of [{}, { purge: false }, { k3s: false }]) {
      expect((await leftOf(files([forgotten]), extent)).filter(isOnDisk)).toContain('/var/lib/forgotten');
    }
  });
});

test('slipway.tmpfiles.conf creates exactly the folders in ReadWritePaths of slipway.service that must exist', () => {
  const made = [...textOf('systemd/slipway.tmpfiles.conf').matchAll(/^d (\S+)/gm)].map(
    ([, path = '']) => path,
  );
  const needed = valuesOf(daemonUnit, 'ReadWritePaths').filter((path) => !path.startsWith('-'));
  expect(differing(needed, made)).toEqual([]);
});

const daemonUnit = textOf('systemd/slipway.service');

function textOf(path: string): string {
  return readFileSync(join(src, '..', path), 'utf8');
}

/**
 * True if slipway.service or the unit of K3s names a parent of this path in `ReadWritePaths=`, `StateDirectory=` or
 * `RuntimeDirectory=`.
 */
function isWritable(path: string): boolean {
  return [daemonUnit, renderUnit(aNode('server'))]
    .flatMap((unit) => [
      ...valuesOf(unit, 'ReadWritePaths'),
      ...valuesOf(unit, 'StateDirectory').map((name) => `/var/lib/${name}`),
      ...valuesOf(unit, 'RuntimeDirectory').map((name) => `/run/${name}`),
    ])
    .some((folder) => path.startsWith(`${folder}/`));
}

function valuesOf(unit: string, key: string): readonly string[] {
  return [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].flatMap(([, value = '']) => value.split(' '));
}

/**
 * Returns the files and folders in the table of owned files, without a trailing star, and the short-lived files that
 * the table omits.
 */
function pageFiles(): readonly string[] {
  const { formerLogins, k3sDownload, gitopsDownload, gitopsBootstrap, gitopsScratch, ...others } =
    paths.slipway;
  const downloads = [k3sDownload, gitopsDownload];
  const backups = [others.datastoreCopy, others.backupWork];
  const fleeting = [formerLogins, ...downloads, gitopsBootstrap, gitopsScratch, ...backups];
  return [...ownedFiles().map(({ path }) => path.replace(/\/?\*$/, '')), ...fleeting].filter((path) =>
    path.startsWith('/'),
  );
}

/**
 * True if a file is neither in /run, which a reboot empties, nor in the state directory, which only `--purge` removes.
 */
function isOnDisk(path: string): boolean {
  return !path.startsWith('/run/') && !path.startsWith(`${paths.slipway.state}/`);
}

/** Returns those of the files that remain after `slipway uninstall` with the chosen options; both are on by default. */
async function leftOf(
  files: readonly string[],
  { k3s = true, purge = true }: { readonly k3s?: boolean; readonly purge?: boolean } = {},
): Promise<readonly string[]> {
  const host = aHost();
  for (const path of files) {
    host.files.remove(path);
    if (/\/(kubectl|crictl|ctr)$/.test(path)) {
      host.files.link(path, 'k3s');
    } else {
      host.files.write(path, '# Written by Slipway\n');
    }
  }
  await told(uninstallSteps(paths, { k3s, purge, keepsK3s: !k3s, nat: true }), host);
  return files.filter((path) => host.files.stat(path) !== undefined);
}

describe('the plan of a node', () => {
  const rich = {
    registries: { servers: ['a.azurecr.io', 'b.azurecr.io'], proof: ['a.azurecr.io/x:1'] },
    joinToken: { agentSecretName: 'agents' },
    node: { taints: ['a=b:NoSchedule'] },
  };
  const ports = {
    cloud: new FakeCloud({
      secrets: { 'k3s-token': 'swordfish', agents: 'trout' },
      registries: rich.registries.servers,
    }),
    memory: 4_096,
    free: async () => 5_000,
    rotateAt: (receivedAt: number) => receivedAt,
    turns: turnMemory(),
    acting: actingMemory(),
  };
  const nodes: readonly K3sNode[] = roles.flatMap((role) =>
    ['/', '/mnt'].flatMap((root) =>
      [{}, rich].map((settings) => ({ ...aNode(role.k3s, { root, settings }), role })),
    ),
  );
  const cases = nodes.map((node) => [node.role.name, node.paths.root, node] as const);

  test.each(cases)(
    'for role %s below %s contains each Resource once, with all its needs and a condition of a part',
    (_name, _root, node) => {
      const plan = nodeResources(node, ports);
      const ids = plan.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)]);
      expect(plan.flatMap(({ needs = [] }) => needs).filter((id) => !ids.includes(id))).toEqual([]);
      const conditions = parts.flatMap((part) => part.conditions);
      expect(plan.filter(({ condition }) => !conditions.includes(condition))).toEqual([]);
    },
  );

  test.each(cases)(
    'for role %s below %s writes only files that a part owns, below the root',
    async (_name, root, node) => {
      const written = await writtenBy(nodeResources(node, ports));
      expect(written.length).toBeGreaterThan(5);
      const owned = parts.flatMap((part) => part.owns(node.paths));
      expect(written.filter(({ path }) => !owned.includes(path))).toEqual([]);
      expect(owned.filter((path) => !path.startsWith(join(root, '/')))).toEqual([]);
    },
  );

  test.each(cases)(
    'for role %s below %s starts K3s only after writing every file that K3s reads at its start',
    async (_name, _root, node) => {
      const plan = nodeResources(node, ports);
      const [service] = plan.filter(({ id }) => id === 'Service/k3s');
      const read = await readAtStart(node.paths);
      const written = (await writtenBy(plan)).filter(({ path }) => read.includes(path));
      expect(written.length).toBeGreaterThan(2);
      const awaited = written.filter(({ id }) => service?.needs?.includes(id)).map(({ path }) => path);
      expect(written.filter(({ path }) => !awaited.includes(path))).toEqual([]);
    },
  );

  test.each(cases)(
    'for role %s below %s makes K3s read only state that an uninstall keeps for K3s',
    async (_name, _root, node) => {
      const { state, providerSettings } = node.paths.slipway;
      const written = await writtenBy(nodeResources(node, ports));
      const named = written.flatMap(({ text }) => text.match(new RegExp(`${state}/[\\w.-]+`, 'g')) ?? []);
      const read = [...named, ...(await readAtStart(node.paths))].filter((path) => path.startsWith(state));
      expect(read.length).toBeGreaterThan(0);
      const needed = [...neededByK3s(node.paths), providerSettings];
      expect(read.filter((path) => !needed.includes(path))).toEqual([]);
    },
  );

  test('contains every Resource that a function of a part returns', () => {
    expect(unplanned(sources)).toEqual([]);
  });

  test.each([
    ['not exported', []],
    [
      'exported by its part',
      [{ path: 'agent/parts/new/index.ts', text: "export { made } from './made.ts';" }],
    ],
    [
      'imported but not called',
      [{ path: 'agent/parts/index.ts', text: "import { made } from './new/index.ts';" }],
    ],
  ])('is reported if it lacks a Resource whose function is %s', (_, others) => {
    const text =
      'export function made(node: K3sNode, [first]: readonly string[]): readonly Resource[] {\n}\n';
    expect(unplanned([{ path: 'agent/parts/new/made.ts', text }, ...others])).toEqual(['made']);
  });
});

interface Written {
  /** The id of the Resource. */
  readonly id: string;
  readonly path: string;
  readonly text: string;
}

/**
 * Returns the path and content of each file that a Resource writes, downloads or links on an empty machine, in order. A
 * Resource that fails contributes the files from before its failure.
 */
async function writtenBy(plan: readonly Resource[]): Promise<readonly Written[]> {
  const host = memoryHost().onDownload(/./, '');
  const written: Written[] = [];
  for (const { id, check } of plan) {
    const before = host.journal.length;
    const finding = await check(host).catch(() => undefined);
    if (finding?.state === 'Drifted') {
      await finding.drift.remedy(host).catch(() => undefined);
    }
    const paths = host.journal.slice(before).flatMap((action) => ('path' in action ? [action.path] : []));
    written.push(...paths.map((path) => ({ id, path, text: host.files.text(path) ?? '' })));
  }
  return written;
}

/** Returns the files that Slipway reads to find the inputs of a start of K3s. */
async function readAtStart(paths: NodePaths): Promise<readonly string[]> {
  const read: string[] = [];
  const host = Object.assign(memoryHost(), {
    readFile: async (path: string) => void read.push(path),
  });
  for (const input of startSources.inputs) {
    await input.text(host, paths, {});
  }
  return [...new Set(read)];
}

/**
 * Returns the names of the parts' functions that return Resources, but are not called by a plan, by a step of setup or
 * by another function of their part.
 */
function unplanned(all: readonly Source[]): readonly string[] {
  const makers = all.flatMap((source) =>
    [
      ...source.text.matchAll(
        /^export (?:async )?function (\w+)\([^{}]*?(?:\{[^{}]*\}[^{}]*?)*\): (?:readonly Resource\[\]|Resource) \{/gm,
      ),
    ]
      .filter(() => partOf(source) !== undefined)
      .map(([, name = '']) => ({ name, part: partOf(source) })),
  );
  const tables =
    /^(agent\/parts\/(?:index|k3s-resources|interruptions|\w+-steps)|agent\/plan|setup\/\w+-steps|setup\/uninstall)\.ts$/;
  const isUsed = ({ name, part }: { readonly name: string; readonly part: string | undefined }) =>
    all
      .filter((source) => tables.test(source.path) || partOf(source) === part)
      .some(({ text }) => callsOf(name).test(withoutImports(text)));
  return makers.filter((maker) => !isUsed(maker)).map(({ name }) => name);
}

/** Returns a pattern that matches a call of the function, or the function as an argument, but not its definition. */
function callsOf(name: string): RegExp {
  return new RegExp(`(?<!function )(?<!\\w|[^.]\\.)${name}\\b(?!\\.)`);
}

function withoutImports(text: string): string {
  return text
    .replace(/^(?:import|export) [^;(]*? from '[^']+';$/gm, '')
    .replace(/^\s*(?:\/?\*|\/\/).*$/gm, '');
}
