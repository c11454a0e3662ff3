import { join } from 'node:path';
import type { HostReader } from '../engine/host.ts';
import { remembering } from '../engine/remembering.ts';
import type { NodePaths } from '../paths.ts';
import type { Layer } from './merge.ts';
import { invalidSettings } from './problems.ts';
import { unfilledLines } from './template-variables.ts';
import { readYaml } from './yaml.ts';

/**
 * Reads the settings files, lowest layer first: the vendor's folder, the administrator's file, the administrator's
 * folder.
 *
 * `file` replaces the administrator's file and must exist; other files may be missing. Throws `InvalidSettings` with
 * the file and the place of every YAML fault, and for a link that leads nowhere.
 */
export async function readLayers(
  host: HostReader,
  paths: NodePaths['slipway']['configLayers'],
  file: string | undefined,
): Promise<readonly Layer[]> {
  const [vendorFolder, usualFile, ownFolder] = paths;
  const files = [
    ...(await yamlFiles(host, vendorFolder)),
    file ?? usualFile,
    ...(await yamlFiles(host, ownFolder)),
  ];
  const read = await Promise.all(files.map((path) => readLayer(host, path, path === file)));
  const faults = read.flatMap((layer) => layer.faults);
  if (faults.length > 0) {
    throw invalidSettings(faults);
  }
  return read.flatMap((layer) => layer.layers);
}

async function yamlFiles(host: HostReader, folder: string): Promise<readonly string[]> {
  const names = await host.list(folder);
  return names.filter((name) => /\.ya?ml$/.test(name)).map((name) => join(folder, name));
}

interface ReadLayer {
  readonly layers: readonly Layer[];
  readonly faults: readonly string[];
}

async function readLayer(host: HostReader, path: string, required: boolean): Promise<ReadLayer> {
  const found = await host.readFile(path);
  if (found) {
    return parseLayer(path, found.content);
  }
  // A dangling link is a mistake, unlike a missing file.
  const isLink = (await host.stat(path))?.kind === 'link';
  if (isLink) {
    return { layers: [], faults: [`${path}: is a link that leads nowhere; repair or remove it`] };
  }
  return { layers: [], faults: required ? [`${path}: does not exist; check the path after --config`] : [] };
}

function parseLayer(path: string, content: string): ReadLayer {
  const { value, faults } = read(content, path);
  if (faults.length === 0) {
    return asLayer(path, value);
  }
  const unfilled = unfilledLines(content);
  const told = unfilled.length > 0 ? unfilled : faults;
  return { layers: [], faults: told.map((fault) => `${path}: ${fault}`) };
}

const read = remembering((text) => readYaml(text));

function asLayer(path: string, values: unknown): ReadLayer {
  if (values === null) {
    return { layers: [], faults: [] };
  }
  if (typeof values === 'object' && !Array.isArray(values)) {
    return { layers: [{ origin: path, values }], faults: [] };
  }
  return {
    layers: [],
    faults: [`${path}: line 1, column 1: must be a map of settings, such as role: server`],
  };
}
