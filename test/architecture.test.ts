import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, normalize } from 'node:path';
import { transformSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { clouds } from '../src/agent/clouds/index.ts';
import { gitOpsEngines } from '../src/agent/gitops/index.ts';
import { namesOf, roles } from '../src/roles/index.ts';

/** The zones that every part may import, besides its own zone. */
const belowParts = [
  ...['engine', 'resources', 'clouds', 'settings', 'roles', 'node', 'paths', 'own files', 'reasons'],
  ...[
    'part',
    'sections',
    'probe',
    'kubernetes',
    'node access',
    'acting',
    'cluster secret',
    'helm chart',
    'stores',
  ],
];

/** The parts, each of which is a zone. */
const parts = ['machine', 'network', 'registry', 'k3s', 'maintenance', 'backup', 'workloads'] as const;

/** The zones, each with the other zones that it may import. A file belongs to the first zone that matches. */
const zones: readonly {
  readonly zone: string;
  readonly files: RegExp;
  readonly imports: readonly string[];
}[] = [
  {
    zone: 'reasons',
    files: /^src\/agent\/(reasons|engine\/own-reasons|(?!engine\/).+\/reasons)\.ts$/,
    imports: [],
  },
  { zone: 'vocabulary', files: /^src\/agent\/vocabulary\.ts$/, imports: ['reasons', 'engine'] },
  {
    zone: 'sections',
    files: /^src\/agent\/(parts\/\w+|report\/metrics)\/settings(-rules|-forms)?\.ts$/,
    imports: ['settings', 'stores'],
  },
  { zone: 'version', files: /^src\/launcher\/version\.ts$/, imports: [] },
  { zone: 'stderr', files: /^src\/launcher\/stderr\.ts$/, imports: [] },
  {
    zone: 'launcher',
    files: /^src\/launcher\//,
    imports: ['commands', 'version', 'stderr', 'answer', 'paths'],
  },
  { zone: 'answer', files: /^src\/agent\/parts\/registry\/answer\//, imports: [] },
  {
    zone: 'commands',
    files: /^src\/commands\//,
    imports: [
      ...['version', 'stderr', 'loop', 'node', 'acting', 'paths', 'own files', 'report', 'settings', 'host'],
      ...[
        'clouds',
        'gitops',
        'stores',
        'parts',
        ...parts,
        'resources',
        'roles',
        'engine',
        'answer',
        'setup',
        'doctor',
        'probe',
      ],
    ],
  },
  {
    zone: 'setup',
    files: /^src\/setup\//,
    imports: ['report', 'node', 'paths', 'host', ...parts, 'gitops', 'resources', 'engine'],
  },
  { zone: 'paths', files: /^src\/agent\/paths\.ts$/, imports: [] },
  { zone: 'own files', files: /^src\/agent\/own-(datastore-)?files\.ts$/, imports: ['paths'] },
  {
    zone: 'node',
    files: /^src\/agent\/node\.ts$/,
    imports: ['paths', 'settings', 'roles', 'resources', 'engine'],
  },
  {
    zone: 'node access',
    files: /^src\/agent\/node-access\.ts$/,
    imports: ['engine', 'kubernetes', 'node'],
  },
  {
    zone: 'acting',
    files: /^src\/agent\/acting\.ts$/,
    imports: ['engine', 'kubernetes', 'node', 'node access', 'resources'],
  },
  {
    zone: 'report',
    files: /^src\/agent\/report\//,
    imports: [
      ...['version', 'loop', 'node', 'paths', 'own files', 'settings', 'sections'],
      ...[...parts, 'resources', 'roles', 'engine', 'probe'],
    ],
  },
  { zone: 'engine', files: /^src\/agent\/engine\//, imports: [] },
  { zone: 'roles', files: /^src\/roles\//, imports: [] },
  {
    zone: 'cluster secret',
    files: /^src\/agent\/resources\/cluster-secret\//,
    imports: ['engine', 'resources', 'kubernetes', 'clouds'],
  },
  {
    zone: 'helm chart',
    files: /^src\/agent\/resources\/helm-chart\//,
    imports: ['engine', 'kubernetes'],
  },
  { zone: 'resources', files: /^src\/agent\/resources\//, imports: ['engine'] },
  { zone: 'kubernetes', files: /^src\/agent\/kubernetes\//, imports: ['engine', 'settings'] },
  {
    zone: 'settings',
    files: /^src\/agent\/settings\//,
    imports: ['engine', 'paths', 'roles', 'clouds', 'gitops', 'sections'],
  },
  {
    zone: 'part',
    files: /^src\/agent\/parts\/part\.ts$/,
    imports: ['engine', 'settings', 'paths', 'node', 'clouds', 'probe'],
  },
  { zone: 'machine', files: /^src\/agent\/parts\/machine\//, imports: [...belowParts, 'k3s'] },
  { zone: 'network', files: /^src\/agent\/parts\/network\//, imports: belowParts },
  { zone: 'registry', files: /^src\/agent\/parts\/registry\//, imports: [...belowParts, 'k3s', 'answer'] },
  { zone: 'k3s', files: /^src\/agent\/parts\/k3s\//, imports: belowParts },
  { zone: 'maintenance', files: /^src\/agent\/parts\/maintenance\//, imports: [...belowParts, 'k3s'] },
  { zone: 'backup', files: /^src\/agent\/parts\/backup\//, imports: [...belowParts, 'k3s'] },
  { zone: 'workloads', files: /^src\/agent\/parts\/workloads\//, imports: belowParts },
  { zone: 'parts', files: /^src\/agent\/parts\/[^/]+\.ts$/, imports: [...belowParts, ...parts] },
  {
    zone: 'gitops',
    files: /^src\/agent\/gitops\//,
    imports: [
      'engine',
      'resources',
      'cluster secret',
      'helm chart',
      'kubernetes',
      'clouds',
      'settings',
      'paths',
    ],
  },
  { zone: 'a cloud', files: /^src\/agent\/clouds\/[^/]+\//, imports: ['engine', 'clouds', 'settings'] },
  { zone: 'clouds', files: /^src\/agent\/clouds\//, imports: ['engine', 'settings', 'a cloud'] },
  {
    zone: 'a store',
    files: /^src\/agent\/stores\/[^/]+\//,
    imports: ['engine', 'clouds', 'settings', 'stores'],
  },
  { zone: 'stores', files: /^src\/agent\/stores\//, imports: ['engine', 'clouds', 'settings', 'a store'] },
  { zone: 'probe', files: /^src\/agent\/doctor\/(probe|measures)\.ts$/, imports: ['engine'] },
  {
    zone: 'doctor',
    files: /^src\/agent\/doctor\//,
    imports: [
      ...['loop', 'vocabulary', 'engine', 'resources', 'clouds', 'settings', ...parts, 'node', 'paths'],
      ...['gitops', 'report', 'part', 'parts', 'probe'],
    ],
  },
  {
    zone: 'host',
    files: /^src\/agent\/host\//,
    imports: ['engine', 'paths', 'own files', 'settings', 'clouds', 'probe'],
  },
  {
    zone: 'loop',
    files: /^src\/agent\/[^/]+\.ts$/,
    imports: [
      ...[
        'version',
        'vocabulary',
        'node',
        'acting',
        'paths',
        'report',
        'settings',
        'clouds',
        'gitops',
        'parts',
        ...parts,
      ],
      ...['resources', 'roles', 'engine'],
    ],
  },
];

/**
 * The files of a part that other files may import directly, not through the index.ts of the part, each with the files
 * that may do so. These files import nothing of their part.
 */
const leaves: readonly { readonly leaf: RegExp; readonly files: RegExp }[] = [
  { leaf: /^src\/agent\/parts\/registry\/answer\//, files: /^src\/(launcher|commands)\// },
  { leaf: /^src\/agent\/parts\/\w+\/reasons\.ts$/, files: /^src\/agent\/vocabulary\.ts$/ },
  { leaf: /^src\/agent\/parts\/\w+\/settings\.ts$/, files: /^src\/agent\/settings\// },
];

/**
 * The folders of the part `k3s`, in order. Each folder may import earlier ones; the files beside the folders may import
 * all.
 */
const k3sFolders = [
  'flags',
  'teardown',
  'membership',
  'datastore',
  'upgrade',
  'config',
  'service',
  'certificates',
  'rotation',
  'restore',
];

/** Files beside the folders of the part `k3s` that import nothing of it; every folder may import these files. */
const k3sLeaves = ['src/agent/parts/k3s/gate.ts'];

/** The packages that only some files may import, and those files. */
const homes: readonly { readonly package: RegExp; readonly files: RegExp }[] = [
  { package: /^@azure\//, files: /^src\/agent\/clouds\/azure\// },
  { package: /^node-cron$/, files: /^src\/agent\/(host\/clock\/cron-ticks|settings\/cron-form)\.ts$/ },
  { package: /^pino$/, files: /^src\/agent\/report\/log\.ts$/ },
  { package: /^prom-client$/, files: /^src\/agent\/report\/metrics\// },
  {
    package: /^commander$/,
    files: /^src\/commands\/cli(-access|-backup|-common|-forms|-maintenance|-misuse|-nodes|-setup)?\.ts$/,
  },
  { package: /^(systeminformation|pino-pretty)$/, files: /^src\/agent\/host\// },
];

/** Folders that only the table beside them may import from outside; their reasons are exempt. */
const tables: readonly { readonly table: string; readonly folder: RegExp }[] = [
  { table: 'src/agent/clouds/index.ts', folder: /^src\/agent\/clouds\/[^/]+\// },
  { table: 'src/agent/gitops/index.ts', folder: /^src\/agent\/gitops\/[^/]+\// },
  { table: 'src/agent/stores/index.ts', folder: /^src\/agent\/stores\/[^/]+\// },
];

/** Words that the engine must not contain, even in a comment. */
const foreignToTheEngine = /\w*(k3s|azure|flux|kube|registry|registries)\w*/i;

/** The only files that may touch the machine: its files, programs, network, clock and environment. */
const machineFiles =
  /^src\/(agent\/host\/.*|setup\/(install|installed-files|uninstall|operator)\.ts|commands\/(?!cli|expose-metrics)[^/]*\.ts|launcher\/(?!environment|version)[^/]*\.ts)$/;

/**
 * The only files that may end the process: its entry, and the handlers of uncaught errors, signals and hung passes,
 * which cannot throw an error to a caller.
 */
const processEnds =
  /^src\/(launcher\/(launch|exit-code)|commands\/uncaught-error|agent\/host\/(process\/signals|systemd\/hung-pass))\.ts$/;

/**
 * The only files that may call JSON.parse: the reader for all other files, the answers to kubelet, which import
 * nothing, and the formatter of our own log lines.
 */
const jsonFiles = /^src\/agent\/(engine\/json|parts\/registry\/answer\/[\w-]+|host\/process\/output)\.ts$/;

/** Built-in modules that only compute and are allowed everywhere. */
const pureModules = new Set(['crypto', 'path', 'util', 'url', 'zlib', 'assert', 'buffer', 'string_decoder']);
/**
 * The readers of the YAML library quote their input in errors and warnings, so only the files that silence these
 * messages may import a reader.
 */
const yamlHome = /^src\/agent\/settings\/yaml(-bounds)?\.ts$/;
const pureNames = new Set(['isIP', 'isIPv4', 'isIPv6', 'BlockList']);

/** Globals that read the clock, wait, read the environment or use the network without an import. */
const machineGlobals: readonly RegExp[] = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /(?<![.\w])(setTimeout|setInterval|setImmediate)\b/,
  /\bAbortSignal\.timeout\b/,
  /\bperformance\.(now|timeOrigin)\b/,
  /\bprocess\.(env|hrtime|exit)\b/,
  /(?<![.\w])fetch\(/,
];

/**
 * The names of clouds, engines and roles. A value that depends on a name belongs in the record with this name. `server`
 * and `agent` are also commands of K3s.
 */
const tableNames = [...Object.keys(clouds), ...Object.keys(gitOpsEngines), ...namesOf(roles)];
const sharedNames = ['server', 'agent'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly names: string;
}

interface SourceFile {
  readonly path: string;
  readonly source: string;
}

/** Returns every import of a file, including imports of types. */
function importsOf({ path, source }: SourceFile): readonly Import[] {
  const statements = source.matchAll(/^(?:import|export)\s+(?:([^;'"]*?)\s+from\s+)?'([^']+)'/gm);
  const expressions = source.matchAll(/\bimport()\('([^']+)'\)/g);
  return [...statements, ...expressions].map(([, names = '', to = '']) => ({
    from: path,
    to: to.startsWith('.') ? normalize(join(path, '..', to)) : to,
    names,
  }));
}

function zoneOf(path: string) {
  return zones.find(({ files }) => files.test(path));
}

/** Returns the violations in a set of source files, one line each. */
function violations(files: readonly SourceFile[]): readonly string[] {
  const imports = files.flatMap(importsOf);
  return [
    ...files.filter(({ path }) => !zoneOf(path)).map(({ path }) => `${path} is in no zone`),
    ...imports.filter((each) => !isAllowed(each)).map(({ from, to }) => `${from} may not import ${to}`),
    ...cycles(imports).map((cycle) => `cycle: ${cycle.join(' -> ')}`),
    ...files.flatMap(touches),
    ...files.flatMap(foreignWords),
    ...files.flatMap(comparisons),
    ...files.flatMap(commandsAsked),
    ...files.filter(readsJson).map(({ path }) => `${path} may read JSON only by engine/json.ts`),
    ...files.filter(endsProcess).map(({ path }) => `${path} may not end the process`),
    ...files.filter(isLong).map(({ path }) => `${path} is longer than 200 lines`),
  ];
}

function isAllowed({ from, to, names }: Import): boolean {
  if (!to.startsWith('src/')) {
    return isAllowedPackage(from, to, names);
  }
  const [importer, imported] = [zoneOf(from), zoneOf(to)];
  if (importer === undefined || imported === undefined) {
    return false;
  }
  if (!isOpen(from, to) || !isBefore(from, to)) {
    return false;
  }
  if (imported.zone !== 'reasons' && !isThroughTable(from, to)) {
    return false;
  }
  return importer === imported || importer.imports.includes(imported.zone);
}

/** True unless the import bypasses the index.ts of another part without an exception in `leaves`. */
function isOpen(from: string, to: string): boolean {
  const part = partOf(to);
  if (part === undefined || part === partOf(from) || to === `${part}/index.ts`) {
    return true;
  }
  return leaves.some(({ leaf, files }) => leaf.test(to) && files.test(from));
}

/** True unless a file in a folder of K3s imports a later folder or a file beside the folders. */
function isBefore(from: string, to: string): boolean {
  const [importer, imported] = [from, to].map((path) => /^src\/agent\/parts\/k3s\/(\w+)\//.exec(path)?.[1]);
  if (importer === undefined || partOf(from) !== partOf(to) || k3sLeaves.includes(to)) {
    return true;
  }
  return imported !== undefined && k3sFolders.indexOf(imported) <= k3sFolders.indexOf(importer);
}

function partOf(path: string): string | undefined {
  return /^src\/agent\/parts\/\w+(?=\/)/.exec(path)?.[0];
}

function isThroughTable(from: string, to: string): boolean {
  return tables.every(({ table, folder }) => {
    const [inner] = folder.exec(to) ?? [];
    return inner === undefined || from === table || from.startsWith(inner);
  });
}

function isAllowedPackage(from: string, to: string, names: string): boolean {
  if (!to.startsWith('node:') && builtinModules.includes(to)) {
    return false;
  }
  if (to === 'yaml' && !yamlHome.test(from)) {
    return names.trim() === '{ stringify }';
  }
  if (!to.startsWith('node:')) {
    return homes.every((home) => !home.package.test(to) || home.files.test(from));
  }
  if (machineFiles.test(from) || pureModules.has(to.slice('node:'.length))) {
    return true;
  }
  const imported = names.match(/\w+/g) ?? [];
  return imported.length > 0 && imported.every((name) => pureNames.has(name));
}

/** Returns the cycles of imports, including imports of types; each begins with the file that the search met first. */
function cycles(imports: readonly Import[]): readonly (readonly string[])[] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push([...trail.slice(trail.indexOf(file)), file]);
    }
    if (trail.includes(file) || done.has(file)) {
      return;
    }
    for (const { to } of imports.filter(({ from }) => from === file)) {
      visit(to, [...trail, file]);
    }
    done.add(file);
  };
  for (const { from } of imports) {
    visit(from, []);
  }
  return found;
}

/** Returns the uses of the machine's globals outside the allowed files, except in comments. */
function touches({ path, source }: SourceFile): readonly string[] {
  if (machineFiles.test(path)) {
    return [];
  }
  const { code } = transformSync(source, { loader: 'ts', legalComments: 'none' });
  return machineGlobals
    .map((pattern) => code.match(pattern)?.[0])
    .filter((use) => use !== undefined)
    .map((use) => `${path} may not use ${use}`);
}

function foreignWords({ path, source }: SourceFile): readonly string[] {
  if (!path.startsWith('src/agent/engine/')) {
    return [];
  }
  const [word] = foreignToTheEngine.exec(source) ?? [];
  return word === undefined ? [] : [`${path} may not speak of ${word}`];
}

/**
 * Returns the comparisons with a name in `tableNames`. A name that is also a command of K3s counts only if a role is
 * compared.
 */
function comparisons({ path, source }: SourceFile): readonly string[] {
  const compared = source.matchAll(
    /([\w.?]+) [!=]== '([\w-]+)'|'([\w-]+)' [!=]== ([\w.?]+)|case '([\w-]+)':/g,
  );
  return [...compared].flatMap(([whole, left, right, first, second, chosen]) => {
    const name = right ?? first ?? chosen ?? '';
    const isOfRole = /\b(role|role\??\.name)$/i.test(left ?? second ?? '');
    if (!tableNames.includes(name) || (sharedNames.includes(name) && !isOfRole)) {
      return [];
    }
    return [`${path} may not ask for a name: ${whole}`];
  });
}

/** The files that may compare the K3s command of a role: the one function for this question, and the table of roles. */
const commandHomes = ['src/agent/node.ts', 'src/roles/index.ts'];

/**
 * Returns the comparisons of the K3s command of a role. Code asks the kind of membership (parts/k3s/membership/kinds)
 * or, if only the command matters, `isServer`.
 */
function commandsAsked({ path, source }: SourceFile): readonly string[] {
  const compared = source.matchAll(
    /[\w.?]*\bk3s [!=]== '\w+'|'\w+' [!=]== [\w.?]*\bk3s\b|switch \([\w.?]*\bk3s\)/g,
  );
  return commandHomes.includes(path)
    ? []
    : [...compared].map(([whole]) => `${path} may not compare the K3s command: ${whole}`);
}

/** True if a file outside `jsonFiles` calls JSON.parse, which applies no schema. */
function readsJson({ path, source }: SourceFile): boolean {
  return !jsonFiles.test(path) && /\bJSON\.parse\b/.test(source);
}

function endsProcess({ path, source }: SourceFile): boolean {
  return !processEnds.test(path) && /\bprocess\.exit\b/.test(source);
}

function isLong({ source }: SourceFile): boolean {
  return source.split('\n').length - 1 > 200;
}

function sourceFiles(): readonly SourceFile[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name))
    .map((path) => ({ path, source: readFileSync(path, 'utf8') }));
}

/** Words of Azure, which are wrong on other clouds and belong in Azure's folder. */
const azureWords =
  /azure|\bacr|AcrPull|key ?vault|network security group|\bentra\b|virtual network|private (endpoint|dns)|role assignment|\babac\b|managed identit/i;

/** The files that may contain a word of Azure, and why. */
const azureWordsAllowed: Readonly<Record<string, string>> = {
  'src/agent/clouds/index.ts': 'the table names every cloud',
  'src/agent/stores/index.ts': 'the table names every store',
  'src/agent/vocabulary.ts': 'adds the reasons of every cloud',
  'src/launcher/environment.ts': 'takes variables away before any record is loaded; clouds.test.ts compares',
  'src/agent/settings/address-forms.ts': 'Azure DevOps as an example of a Git host',
  'src/agent/settings/consents.ts':
    'a registry as an example, and a description of what Azure alone asks consent for',
  'src/agent/settings/forms.ts': 'a registry as an example',
  'src/agent/parts/registry/settings.ts': 'a registry as an example',
};

/** Returns the files outside Azure's folders whose code, without comments, contains a word of Azure. */
function sayingAzure(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => !/^src\/agent\/(clouds\/azure|stores\/azure-blob)\//.test(path))
    .filter(({ source }) => azureWords.test(withoutComments(source)))
    .map(({ path }) => path);
}

function withoutComments(source: string): string {
  const known = commentless.get(source);
  if (known !== undefined) {
    return known;
  }
  const { code } = transformSync(source, { loader: 'ts', legalComments: 'none', minifyWhitespace: true });
  commentless.set(source, code);
  return code;
}

/** The results of `withoutComments`, because several tests read all sources. */
const commentless = new Map<string, string>();

/** The names that may be strings only in the folder with the same name, since they have no other meaning. */
const properNames = tableNames.filter((name) => ![...sharedNames, 'none'].includes(name));

/** The files that may contain one of `properNames` outside the folder with that name, and why. */
const properNamesAllowed: Readonly<Record<string, string>> = {
  'src/agent/clouds/index.ts': 'the cloud of a node whose settings name none',
  'src/agent/settings/facts-file.ts': 'the section that a facts file is',
  'src/roles/ingress.ts': 'the record of that role',
  'src/roles/observability.ts': 'the record of that role',
};

/**
 * Returns the files that contain the name of a cloud, engine or role as a string, outside the folder with that name.
 */
function sayingNames(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path, source }) => {
      const code = withoutComments(source);
      return properNames.some((name) => !path.includes(`/${name}/`) && code.includes(`"${name}"`));
    })
    .map(({ path }) => path);
}

/** The files that may check a Resource, and why. */
const checkingAllowed: Readonly<Record<string, string>> = {
  'src/agent/doctor/conditions.ts': 'makes the checks of a plan without its remedies',
  'src/agent/engine/reconcile.ts': 'the reconciler',
  'src/agent/parts/k3s/service/outdated-start.ts':
    'the files that K3s reads at its start may have changed since their check',
  'src/agent/parts/registry/older-timers.ts':
    'on a node that has joined, a missing login does not block dependants, but must block this one',
  'src/agent/resources/combinators.ts': 'wraps Resources, and calls the check of the wrapped one',
  'src/setup/perform.ts': 'leaves resources in sync out of a dry run',
};

/** Matches a call of a Resource's check, and a check that is taken out of its Resource, in code without spaces. */
const checks = /\.check\(\w*(host|reader)\b|\bcheck\b[^{}()]*\}(of\b|=)/i;

/**
 * Returns the files whose code checks a Resource. Only the listed files may do so: other code names the dependencies of
 * a Resource in its `needs`.
 */
function checking(files: readonly SourceFile[]): readonly string[] {
  return files.filter(({ source }) => checks.test(withoutComments(source))).map(({ path }) => path);
}

describe('the sources', () => {
  test('call the check of a Resource only in allowed files', () => {
    expect([...checking(sourceFiles())].sort()).toEqual(Object.keys(checkingAllowed).sort());
  });

  test('name a cloud, GitOps engine or role only in its own folder and in allowed files', () => {
    expect([...sayingNames(sourceFiles())].sort()).toEqual(Object.keys(properNamesAllowed).sort());
  });

  test('use Azure terms only in the folder of Azure and in allowed files', () => {
    expect([...sayingAzure(sourceFiles())].sort()).toEqual(Object.keys(azureWordsAllowed).sort());
  });

  test('have no forbidden import, import cycle, direct access to the machine or other violation', () => {
    expect(violations(sourceFiles())).toEqual([]);
  });

  test('have no default export', () => {
    const offenders = sourceFiles().filter(({ source }) => /^export default\b/m.test(source));
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  test('are all reachable from the executable', () => {
    const imports = sourceFiles().flatMap(importsOf);
    const reached = new Set(['src/launcher/launch.ts']);
    for (const file of reached) {
      for (const { to } of imports.filter(({ from }) => from === file)) {
        reached.add(to);
      }
    }
    const paths = sourceFiles().map(({ path }) => path);
    const unused = paths.filter((path) => !reached.has(path));
    expect(unused).toEqual([]);
  });
});

describe('the rules report', () => {
  const engine = 'src/agent/engine/a.ts';
  test.each([
    [
      'a role that imports the cloud',
      'src/roles/a.ts',
      "import type { Cloud } from '../agent/clouds/cloud.ts';",
    ],
    ['the engine that imports a part', engine, "import { a } from '../parts/machine/a.ts';"],
    [
      'a part that imports an internal file of another part',
      'src/agent/parts/machine/a.ts',
      "import { a } from '../k3s/a.ts';",
    ],
    [
      'a report that imports an internal file of a part',
      'src/agent/report/a.ts',
      "import { a } from '../parts/k3s/a/a.ts';",
    ],
    [
      'settings that import an internal file of a part',
      'src/agent/settings/a.ts',
      "import { a } from '../parts/k3s/a.ts';",
    ],
    [
      'a section of the settings that imports its part',
      'src/agent/parts/k3s/settings.ts',
      "import { a } from './part.ts';",
    ],
    [
      'rules of a section that import another part',
      'src/agent/parts/registry/settings-rules.ts',
      "import { a } from '../k3s/index.ts';",
    ],
    [
      'settings that import a file of the report other than its section',
      'src/agent/settings/a.ts',
      "import { a } from '../report/metrics/metrics.ts';",
    ],
    [
      'a folder of K3s that imports a later folder',
      'src/agent/parts/k3s/membership/a.ts',
      "import { a } from '../service/a.ts';",
    ],
    [
      'a folder of K3s that imports its index',
      'src/agent/parts/k3s/flags/a.ts',
      "import { a } from '../index.ts';",
    ],
    [
      'a folder of K3s that is not in the list',
      'src/agent/parts/k3s/new/a.ts',
      "import { a } from '../service/a.ts';",
    ],
    [
      'K3s that imports another part',
      'src/agent/parts/k3s/a.ts',
      "import { a } from '../registry/index.ts';",
    ],
    [
      'a part that imports the table of parts',
      'src/agent/parts/k3s/a.ts',
      "import { a } from '../index.ts';",
    ],
    ['K3s that imports an adapter', 'src/agent/parts/k3s/a.ts', "import { a } from '../../host/a.ts';"],
    [
      'the loop that imports an adapter',
      'src/agent/agent.ts',
      "import { a } from './clouds/azure/azure.ts';",
    ],
    [
      'a cloud that imports another cloud',
      'src/agent/clouds/static/a.ts',
      "import { a } from '../azure/a.ts';",
    ],
    [
      'an import of a cloud outside the table of clouds',
      'src/agent/clouds/a.ts',
      "import { a } from './azure/azure.ts';",
    ],
    [
      'an import of a GitOps engine outside the table of engines',
      'src/commands/a.ts',
      "import { a } from '../agent/gitops/flux/flux.ts';",
    ],
    [
      'an import of a store outside the table of stores',
      'src/agent/parts/k3s/a.ts',
      "import { a } from '../../stores/folder/folder.ts';",
    ],
    [
      'a store that imports another store',
      'src/agent/stores/folder/a.ts',
      "import { a } from '../s3/s3.ts';",
    ],
    ['a lazy import of an adapter', 'src/agent/agent.ts', "await import('./host/node-host.ts');"],
    ['an export of a part by the engine', engine, "export { a } from '../parts/machine/a.ts';"],
    ['an import of node:fs by the engine', engine, "import { readFile } from 'node:fs/promises';"],
    ['an import of connect together with isIP', engine, "import { connect, isIP } from 'node:net';"],
    ['an import of a built-in module without node:', engine, "import { join } from 'path';"],
    [
      'an import of an Azure SDK outside the Azure adapter',
      'src/agent/parts/k3s/a.ts',
      "import { a } from '@azure/identity';",
    ],
    [
      'an import of node-cron outside cron-ticks.ts',
      'src/agent/host/clock/cron-a.ts',
      "import { createTask } from 'node-cron';",
    ],
    [
      'an import of a YAML parser outside its allowed files',
      engine,
      "import { parse, stringify } from 'yaml';",
    ],
    ['an import of pino outside log.ts', engine, "import pino from 'pino';"],
    ['a call of Date.now in the engine', engine, 'const now = Date.now();'],
    ['a Date of the current time in the engine', engine, 'const now = new Date();'],
    ['a timer in the engine', engine, 'setTimeout(run, 10);'],
    ['a deadline in the engine', engine, 'const signal = AbortSignal.timeout(10);'],
    ['a use of process.env in the engine', engine, 'const home = process.env.HOME;'],
    ['a call of fetch in the engine', engine, "await fetch('http://localhost');"],
    ['an Azure term in the engine', engine, "const cloud = 'azure';"],
    ['a type named after K3s in the engine', engine, 'interface K3sNode {}'],
    ['kubelet in a comment of the engine', engine, '// as kubelet does'],
    ['a comparison with the name of a cloud', 'src/commands/a.ts', "const is = settings.cloud === 'static';"],
    ['a comparison with the name of a GitOps engine', 'src/agent/plan.ts', "if ('flux' !== engine) return;"],
    ['a switch case that names a cloud', 'src/agent/plan.ts', "switch (cloud) { case 'azure': }"],
    ['a comparison with the name of a role', 'src/agent/plan.ts', "const is = node.role.name === 'server';"],
    ['a comparison of the K3s command of a role', 'src/agent/plan.ts', "const is = role.k3s === 'agent';"],
    ['a switch by the K3s command of a role', 'src/agent/plan.ts', 'switch (node.role.k3s) { default: }'],
    ['a table of reasons with an import', 'src/agent/host/reasons.ts', "import { a } from './a.ts';"],
    [
      'a report that parses JSON without a schema',
      'src/agent/report/a.ts',
      'const status = JSON.parse(text);',
    ],
    ['a command that ends the process', 'src/commands/a.ts', 'process.exit(1);'],
    ['a file without a zone', 'src/stray.ts', ''],
    ['a file of 201 lines', engine, '\n'.repeat(201)],
  ])('%s', (_, path, source) => {
    expect(violations([{ path, source }])).toHaveLength(1);
  });

  test.each([
    'const a = { ...b, check: async (host: HostReader) => b.check(host) };',
    'for (const { id, check } of logins) if ((await check(host)).state) ids.push(id);',
    'const { check } = login;',
  ])('a Resource that calls the check of another: %s', (source) => {
    expect(checking([{ path: 'src/agent/parts/machine/a.ts', source }])).toHaveLength(1);
  });

  test('the name of a cloud as a string in any expression', () => {
    const source = "export const isHere = (cloud: string) => ['azure'].includes(cloud); // 'flux'";
    expect(sayingNames([{ path: 'src/agent/plan.ts', source }])).toHaveLength(1);
    expect(sayingNames([{ path: 'src/agent/clouds/azure/a.ts', source }])).toEqual([]);
  });

  test.each(['import', 'import type'])('a cycle of %s statements', (keyword) => {
    const file = (name: string, imported: string) => ({
      path: `src/agent/engine/${name}.ts`,
      source: `${keyword} { a } from './${imported}.ts';`,
    });
    expect(violations([file('a', 'b'), file('b', 'c'), file('c', 'a')])).toHaveLength(1);
  });

  test.each([
    ['an import of isIP', engine, "import { isIP } from 'node:net';"],
    [
      'a folder of K3s that imports an earlier folder',
      'src/agent/parts/k3s/service/a.ts',
      "import { a } from '../flags/a.ts';",
    ],
    [
      'a part that imports the index of another part',
      'src/agent/parts/machine/a.ts',
      "import { a } from '../k3s/index.ts';",
    ],
    [
      'settings that import the section of a part',
      'src/agent/settings/a.ts',
      "import { a } from '../parts/k3s/settings.ts';",
    ],
    [
      'settings that import the section of the metrics',
      'src/agent/settings/a.ts',
      "import { a } from '../report/metrics/settings.ts';",
    ],
    [
      'a section that imports its own rules',
      'src/agent/parts/k3s/settings.ts',
      "import { a } from './settings-rules.ts';",
    ],
    [
      'a launcher that imports a leaf of the registry',
      'src/launcher/a.ts',
      "import { a } from '../agent/parts/registry/answer/request.ts';",
    ],
    ['the one comparison with a command of K3s', 'src/agent/node.ts', "return role.k3s === 'server';"],
    ['a Date of a given time', engine, 'const text = new Date(now).toISOString();'],
    ['a comment about the clock', engine, '// Date.now() and setTimeout are for the Host'],
    [
      'a host that reads files and the clock',
      'src/agent/host/a.ts',
      "import { readFile } from 'node:fs/promises'; Date.now();",
    ],
    [
      'an Azure adapter that imports its SDK',
      'src/agent/clouds/azure/a.ts',
      "import { a } from '@azure/identity';",
    ],
  ])('no violation in %s', (_, path, source) => {
    expect(violations([{ path, source }])).toEqual([]);
  });
});
