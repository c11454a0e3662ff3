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

/** The layers above the defaults, lowest first. */
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
  /** Replaces /etc/slipway/config.yaml. */
  readonly file?: string | undefined;
  readonly commandLine?: readonly CommandLineSetting[];
  /** Checks of other owners on the settings as written, which may have other faults as well. */
  readonly check?: Check;
  /** The settings loaded last, with the same `check`. */
  readonly before?: Loaded | undefined;
}

type Check = (written: unknown) => readonly Problem[];

/** Reads, merges and validates the settings: `InvalidSettings` with every problem found. */
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
 * Returns the settings that these layers make: `before` itself if its layers are the same. Unusable settings are
 * `InvalidSettings`.
 */
export function resolveLayers(
  layers: Layers,
  { check = () => [], before }: Pick<LoadOptions, 'check' | 'before'> = {},
): Loaded {
  if (before && isSame(layers, before.layers)) {
    return before;
  }
  const merged = mergeAll(layers);
  const written = plain(merged);
  const parsed = z.safeParse(settingsSchema, written);
  const problems = firstPerPath([
    ...unfilledVariables(written),
    // Before the schema, which does not know the cloud: of two problems with a name, the narrower is reported.
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

/** Compares with the keys in order, in which K3s gets them; JSON alone would make `.inf` `null`. */
function isSame(one: Layers, other: Layers): boolean {
  return isDeepStrictEqual(one, other) && JSON.stringify(one) === JSON.stringify(other);
}

function firstPerPath(problems: readonly Problem[]) {
  const named = problems.map((problem) => ({ ...problem, text: pathText(problem.path) }));
  return named.filter(({ text }, at) => named.findIndex((other) => other.text === text) === at);
}

/** Merges all layers into one, each value with its origin. */
export function mergeAll({ files, tags, commandLine }: Layers) {
  return mergeLayers(lowest, [...files, ...tags, ...commandLine]);
}
