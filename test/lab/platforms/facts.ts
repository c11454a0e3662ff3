/** What a reader sees of a node besides its status, read from the node's own files. */
import { parse } from 'yaml';
import * as z from 'zod/mini';
import type { LabNode } from '../node.ts';

/** Returns the settings that Slipway gave K3s, without those of paths below the root. */
function k3sConfig(node: LabNode): Readonly<Record<string, unknown>> {
  return z.parse(z.record(z.string(), z.unknown()), parse(node.read('etc/rancher/k3s/config.yaml') ?? ''));
}

/** Returns a line for each of these settings of K3s; leaves out settings that K3s did not get. */
export function configLines(node: LabNode, keys: readonly string[]): readonly string[] {
  const config = k3sConfig(node);
  const given = keys.filter((key) => config[key] !== undefined);
  return given.map((key) => `${key}: ${[config[key]].flat().join(' ')}`);
}

/** Returns the name of the secret whose value the node's join token contains; throws if it contains none of them. */
export function joinSecret(node: LabNode, secrets: Readonly<Record<string, string>>): string {
  const token = node.read('var/lib/slipway/join-token') ?? '';
  const found = Object.entries(secrets).find(([, value]) => token.includes(value));
  if (!found) {
    throw new Error(`${node.name} has none of the join tokens.`);
  }
  return found[0];
}

/** Returns a line about each registry login of the node, with its renewal and its end. */
export function loginLines(node: LabNode): readonly string[] {
  const credentials = node.status()?.credentials ?? [];
  return credentials.map(({ server, received, renewal, ends }) => {
    return `${server}: received ${timeOf(received)}, renewal ${timeOf(renewal)}, ends ${timeOf(ends)}`;
  });
}

/** Returns the time of day of an ISO date. */
function timeOf(date = 'never'): string {
  return date.replace(/^.*T(.*)\.\d+Z$/, '$1Z');
}

/** Returns a name and its values in lines of a table, with the name only on the first line. */
export function rows(name: string, values: readonly string[]): readonly string[] {
  return values.map((value, at) => `    ${(at === 0 ? name : '').padEnd(14)} ${value}`);
}

/** Returns the message of a condition of the node; throws if the node does not have the condition. */
export function messageOf(node: LabNode, type: string): string {
  const found = node.status()?.conditions.find((condition) => condition.type === type);
  if (!found) {
    throw new Error(`${node.name} has no condition ${type}.`);
  }
  return found.message;
}
