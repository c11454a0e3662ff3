/**
 * `kubectl annotate` of a Node, and `kubectl create -f` of events.
 *
 * Models pkg/cmd/annotate/annotate.go (resources before pairs, no overwriting without --overwrite, a merge patch of
 * only the annotations) and pkg/cmd/create/create.go (tries every item of a List, even after the API refuses one).
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ask, type Config, notModelled } from './kubectl-api.ts';
import type { Line } from './kubectl-line.ts';

export async function annotate({ words, flags }: Line, config: Config): Promise<void> {
  const first = words.findIndex(isPair);
  const [kind, name, ...more] = first < 0 ? words : words.slice(0, first);
  const pairs = first < 0 ? [] : words.slice(first);
  const late = pairs.find((word) => !isPair(word));
  if (late !== undefined) {
    throw new Error(`error: all resources must be specified before annotation changes: ${late}`);
  }
  if (pairs.length === 0) {
    throw new Error('error: at least one annotation update is required');
  }
  if (kind !== 'node' || name === undefined || more.length > 0) {
    throw new Error(notModelled(`annotate ${words.join(' ')}`));
  }
  const annotations = Object.fromEntries(pairs.map(pair));
  const path = `/objects/nodes/_/${encodeURIComponent(name)}`;
  const found = Object(JSON.parse((await ask(config, path)).body).metadata.annotations);
  const declared = Object.keys(annotations).filter((key) => key in found && found[key] !== annotations[key]);
  if (declared.length > 0 && !flags.has('overwrite')) {
    const list = declared.map((key) => `'${key}' already has a value (${found[key]})`).join('; ');
    throw new Error(`error: --overwrite is false but found the following declared annotation(s): ${list}`);
  }
  await ask(config, path, 'PATCH', { metadata: { annotations } });
  process.stdout.write(`node/${name} annotated\n`);
}

function isPair(word: string): boolean {
  return word.includes('=') || word.endsWith('-');
}

function pair(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  if (at < 1) {
    throw new Error(notModelled(`annotate ${word}`));
  }
  return [word.slice(0, at), word.slice(at + 1)];
}

export async function create({ words, flags }: Line, config: Config): Promise<void> {
  const file = flags.get('filename');
  const validate = flags.get('validate') ?? 'strict';
  if (file === undefined || words.length > 0) {
    throw new Error(notModelled('create without one -f'));
  }
  if (!['strict', 'warn', 'ignore', 'true', 'false'].includes(validate)) {
    throw new Error(`error: invalid - validate option "${validate}"; must be one of: strict, warn, ignore`);
  }
  const refusals: string[] = [];
  for (const item of itemsOf(file)) {
    try {
      const { metadata } = JSON.parse((await ask(config, '/objects/events/default', 'POST', item)).body);
      process.stdout.write(`event/${metadata.name} created\n`);
    } catch (error) {
      refusals.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (refusals.length > 0) {
    throw new Error(refusals.join('\n'));
  }
}

function itemsOf(file: string): readonly object[] {
  const found = Object(parse(readManifest(file)));
  const items = found.kind === 'List' && found.apiVersion === 'v1' ? found.items : [found];
  for (const { apiVersion, kind } of items) {
    if (`${apiVersion} ${kind}` !== 'v1 Event') {
      throw new Error(notModelled(`create of a ${kind}`));
    }
  }
  return items;
}

function readManifest(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Error(`error: the path "${file}" does not exist`);
  }
}
