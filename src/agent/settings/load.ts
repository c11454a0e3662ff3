import * as z from 'zod/mini';
import type { HostReader } from '../engine/host.ts';
import { isSame } from '../engine/remembering.ts';
import type { NodePaths } from '../paths.ts';
import { type CloudLayer, cloudLayers } from './cloud-layer.ts';
import { defaults } from './defaults.ts';
import { readLayers } from './layers.ts';
import { type Layer, leaves, mergeLayers, originOf, plain } from './merge.ts';
import { type Problem, pathText } from './path.ts';
import { describeIssues, invalidSettings } from './problems.ts';
import { misfits } from './rules.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { secretNameMisfits } from './secret-names.ts';
import { withoutReplaced } from './section.ts';
import { sections } from './sections.ts';
import { unfilledVariables } from './template-variables.ts';

/**
 * The settings, and the origin of each value: `default`, a file, a tag, a command-line option, or Slipway's own choice
 * of the cloud.
 */
export interface Loaded {
  readonly settings: Settings;
  /** The origin of each value, by a path such as `k3s.version`. */
  readonly origins: Readonly<Record<string, string>>;
  readonly layers: Layers;
}

/** The layers above the defaults, lowest first. */
export interface Layers {
  readonly files: readonly Layer[];
  readonly tags: readonly Layer[];
  readonly commandLine: readonly Layer[];
  /** The layer with the cloud that Slipway chose; empty if another layer names the cloud. */
  readonly detected?: readonly CloudLayer[];
}

/** A setting from the command line, such as `{ option: '--role', path: 'role', value: 'server' }`. */
export interface CommandLineSetting {
  readonly option: string;
  readonly path: string;
  readonly value: unknown;
}

export interface LoadOptions {
  readonly paths: NodePaths;
  /** The file that replaces /etc/slipway/config.yaml. */
  readonly file?: string | undefined;
  readonly commandLine?: readonly CommandLineSetting[];
  /** A further check. It receives the settings as written, which may have any fault. */
  readonly check?: Check;
  /** The result of the last load with the same `check`. */
  readonly before?: Loaded | undefined;
}

type Check = (written: unknown) => readonly Problem[];

/**
 * Reads and merges the settings files and the command line, chooses the cloud unless a layer names it, and validates
 * the settings. Throws `InvalidSettings` with every problem.
 */
export async function load(host: HostReader, options: LoadOptions): Promise<Loaded> {
  const files = await readLayers(host, options.paths.slipway.configLayers, options.file);
  const commandLine = (options.commandLine ?? []).map(asLayer);
  const detected = await cloudLayers(host, options.paths, [...files, ...commandLine]);
  return resolveLayers({ files, tags: [], commandLine, detected }, options);
}

function asLayer({ option, path, value }: CommandLineSetting): Layer {
  const values = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return { origin: `command line ${option}`, values };
}

const lowest: Layer = { origin: 'default', values: defaults };

/**
 * Returns the settings that result from these layers, or `before` itself if it came from equal layers. Throws
 * `InvalidSettings` with every problem.
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
    // Precedes the schema's problems: only the first problem of each setting is reported, and the schema does not know
    // which secret names the cloud allows.
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

function firstPerPath(problems: readonly Problem[]) {
  const named = problems.map((problem) => ({ ...problem, text: pathText(problem.path) }));
  return named.filter(({ text }, at) => named.findIndex((other) => other.text === text) === at);
}

/** Merges all layers into one; each value keeps its origin. Leaves out a default that a setting in a layer replaces. */
export function mergeAll({ files, tags, commandLine, detected = [] }: Layers) {
  const layers = [...files, ...tags, ...commandLine, ...detected];
  const written = plain(mergeLayers({ origin: lowest.origin, values: {} }, layers));
  return mergeLayers({ ...lowest, values: withoutReplaced(sections, defaults, written) }, layers);
}
