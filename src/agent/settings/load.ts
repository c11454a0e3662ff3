import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import type { HostReader } from '../engine/host.ts';
import type { NodePaths } from '../paths.ts';
import { defaults } from './defaults.ts';
import { readLayers } from './layers.ts';
import { type Layer, leaves, mergeLayers, originOf, plain } from './merge.ts';
import { type Problem, pathText } from './path.ts';
import { describeIssues, invalidSettings } from './problems.ts';
import { misfits } from './rules.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { secretNameMisfits } from './secret-names.ts';
import { unfilledVariables } from './template-variables.ts';

/** The settings, and which layer set each: `default`, a file, `tag k3s-role` or `command line --role`. */
export interface Loaded {
  readonly settings: Settings;
  /** By the path of each value: `k3s.version`. */
  readonly origins: Readonly<Record<string, string>>;
  readonly layers: Layers;
}

/** What lies over the defaults, lowest first. */
export interface Layers {
  readonly files: readonly Layer[];
  readonly tags: readonly Layer[];
  readonly commandLine: readonly Layer[];
}

/** One setting from the command line: `{ option: '--role', path: 'role', value: 'server' }`. */
export interface CommandLineSetting {
  readonly option: string;
  readonly path: string;
  readonly value: unknown;
}

export interface LoadOptions {
  readonly paths: NodePaths;
  /** In the place of /etc/slipway/config.yaml. */
  readonly file?: string | undefined;
  readonly commandLine?: readonly CommandLineSetting[];
  /** What others know to be wrong in settings as they are written, which may have other faults as well. */
  readonly check?: Check;
  /** What was loaded last, with the same `check`. */
  readonly before?: Loaded | undefined;
}

type Check = (written: unknown) => readonly Problem[];

/** Reads, merges and validates the settings: `InvalidSettings` with every problem there is. */
export async function load(host: HostReader, options: LoadOptions): Promise<Loaded> {
  const files = await readLayers(host, options.paths.slipway.configLayers, options.file);
  const commandLine = (options.commandLine ?? []).map(asLayer);
  return resolveLayers({ files, tags: [], commandLine }, options);
}

function asLayer({ option, path, value }: CommandLineSetting): Layer {
  const values = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return { origin: `command line ${option}`, values };
}

const lowest: Layer = { origin: 'default', values: defaults };

/**
 * Returns the settings that these layers make: `before` itself if it was made of the same layers. Settings that cannot be
 * used are `InvalidSettings`.
 */
export function resolveLayers(
  layers: Layers,
  { check = () => [], before }: Pick<LoadOptions, 'check' | 'before'> = {},
): Loaded {
  if (before && isSame(layers, before.layers)) return before;
  const merged = mergeAll(layers);
  const written = plain(merged);
  const parsed = z.safeParse(settingsSchema, written);
  const problems = firstPerPath([
    ...unfilledVariables(written),
    // Before the schema, which knows no cloud: of two things that are wrong with a name, the narrower is told.
    ...secretNameMisfits(written),
    ...(parsed.success ? [] : describeIssues(parsed.error.issues, written)),
    ...misfits(written),
    ...check(written),
  ]);
  if (!parsed.success || problems.length > 0) {
    throw invalidSettings(
      problems.map(
        ({ path, text, message }) => `${originOf(merged, path, lowest.origin)}: ${text}: ${message}`,
      ),
    );
  }
  const origins = Object.fromEntries(leaves(merged).map(({ path, origin }) => [pathText(path), origin]));
  return { settings: parsed.data, origins, layers };
}

/** With the keys in the same order, in which K3s is given them; as JSON alone, `.inf` would be `null`. */
function isSame(one: Layers, other: Layers): boolean {
  return isDeepStrictEqual(one, other) && JSON.stringify(one) === JSON.stringify(other);
}

function firstPerPath(problems: readonly Problem[]) {
  const named = problems.map((problem) => ({ ...problem, text: pathText(problem.path) }));
  return named.filter(({ text }, at) => named.findIndex((other) => other.text === text) === at);
}

/** All layers in one, each value with its origin. */
export function mergeAll({ files, tags, commandLine }: Layers) {
  return mergeLayers(lowest, [...files, ...tags, ...commandLine]);
}
