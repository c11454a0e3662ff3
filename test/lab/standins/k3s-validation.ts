/**
 * Validates applied objects: their identity must match the path, annotations must be strings, and Secrets, HelmCharts
 * and Argo CD Applications must pass the API's checks (for Secrets: pkg/apis/core, ValidateSecret and
 * ValidateSecretUpdate).
 */
import { invalidApplication } from './argocd-crd.ts';
import { invalidChart } from './k3s-helm-crd.ts';
import type { ApiObject } from './k3s-objects.ts';
import { type Reply, status } from './k3s-reply.ts';

interface Identity {
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Returns the API's refusal of an applied object; `undefined` if the object is valid. */
export function invalidObject(
  wish: ApiObject,
  target: Identity,
  live: ApiObject | undefined,
): Reply | undefined {
  const { apiVersion, kind, metadata } = wish;
  if (apiVersion !== target.apiVersion || kind === undefined) {
    return status(
      400,
      'BadRequest',
      `the API version in the data (${apiVersion}) does not match the expected API version (${target.apiVersion})`,
    );
  }
  if (metadata.name !== target.name) {
    return status(
      400,
      'BadRequest',
      `the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`,
    );
  }
  if (metadata.namespace !== undefined && metadata.namespace !== target.namespace) {
    return status(
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  if (metadata.managedFields !== undefined) {
    return status(400, 'BadRequest', 'metadata.managedFields must be nil');
  }
  const notText = Object.values(Object(metadata.annotations)).some((value) => typeof value !== 'string');
  if (notText) {
    return status(
      400,
      'BadRequest',
      `failed to create typed patch object: .metadata.annotations: expected string`,
    );
  }
  if (kind === 'Application') {
    return invalidApplication(wish);
  }
  return kind === 'Secret' ? invalidSecret(wish, live) : invalidChart(wish);
}

function invalidSecret(
  { data, stringData, type, metadata }: ApiObject,
  live: ApiObject | undefined,
): Reply | undefined {
  const invalid = (why: string) => status(422, 'Invalid', `Secret "${metadata.name}" is invalid: ${why}`);
  if (stringData !== undefined) {
    return invalid('stringData: is write-only, so apply would not remove its keys (stricter than the API)');
  }
  if (live?.type !== undefined && type !== undefined && type !== live.type) {
    return invalid(`type: Invalid value: "${type}": field is immutable`);
  }
  for (const [key, value] of Object.entries(Object(data))) {
    if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key)) {
      return invalid(
        `data[${key}]: Invalid value: "${key}": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`,
      );
    }
    if (typeof value !== 'string' || Buffer.from(value, 'base64').toString('base64') !== value) {
      return status(
        400,
        'BadRequest',
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
      );
    }
  }
  const needed = neededKeys[String(type)];
  return needed !== undefined && !(needed in Object(data))
    ? invalid(`data[${needed}]: Required value`)
    : undefined;
}

/** The key that each of these types of Secret must have (pkg/apis/core/validation, ValidateSecret). */
const neededKeys: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/ssh-auth': 'ssh-privatekey',
  'kubernetes.io/tls': 'tls.crt',
};
