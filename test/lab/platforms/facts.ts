/** Reads facts from a node's files and status, which the lab shows in addition to the output of `slipway status`. */
import { parse } from 'yaml';
import * as z from 'zod/mini';
import type { LabNode } from '../node.ts';

/** Returns the content of the K3s configuration file that Slipway wrote; throws if the file is missing. */
function k3sConfig(node: LabNode): Readonly<Record<string, unknown>> {
  return z.parse(z.record(z.string(), z.unknown()), parse(node.read('etc/rancher/k3s/config.yaml') ?? ''));
}

/** Returns a line for each of these K3s settings that the configuration file contains; omits the others. */
export function configLines(node: LabNode, keys: readonly string[]): readonly string[] {
  const config = k3sConfig(node);
  const given = keys.filter((key) => config[key] !== undefined);
  return given.map((key) => `${key}: ${[config[key]].flat().join(' ')}`);
}

/**
 * Returns the name of the secret whose value the node's join token contains; throws if the token contains none of these
 * values.
 */
export function joinSecret(node: LabNode, secrets: Readonly<Record<string, string>>): string {
  const token = node.read('var/lib/slipway/join-token') ?? '';
  const found = Object.entries(secrets).find(([, value]) => token.includes(value));
  if (!found) {
    throw new Error(`${node.name} has none of the join tokens.`);
  }
  return found[0];
}

/**
 * Returns a line about each registry login of the node: when Slipway received it, when it will be renewed, and when it
 * expires.
 */
export function loginLines(node: LabNode): readonly string[] {
  const credentials = node.status()?.credentials ?? [];
  return credentials.map(({ server, received, renewal, ends }) => {
    return `${server}: received ${timeOf(received)}, renewal ${timeOf(renewal)}, ends ${timeOf(ends)}`;
  });
}

/** Returns the time of day in an ISO date; `never` if the date is missing. */
function timeOf(date = 'never'): string {
  return date.replace(/^.*T(.*)\.\d+Z$/, '$1Z');
}

/** Returns a table line for each value; only the first line contains the name. */
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
