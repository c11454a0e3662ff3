/**
 * The schemas of HelmChart and HelmChartConfig, checked as server-side apply and the API do.
 *
 * Models pkg/crds/yaml/generated of helm-controller (fields, types, enums, defaults) and
 * apimachinery/pkg/util/managedfields (an unknown field or a wrong type is an error without a Status, which becomes a
 * 500).
 */
import type { ApiObject } from './k3s-objects.ts';
import { json, type Reply, status } from './k3s-reply.ts';

type Form = 'string' | 'boolean' | 'number' | 'object' | 'array';

const shared: Readonly<Record<string, Form>> = {
  values: 'object',
  valuesContent: 'string',
  valuesSecrets: 'array',
  failurePolicy: 'string',
  serverSide: 'string',
  forceConflicts: 'boolean',
};

const fields: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  HelmChartConfig: shared,
  HelmChart: {
    ...shared,
    authPassCredentials: 'boolean',
    authSecret: 'object',
    backOffLimit: 'number',
    bootstrap: 'boolean',
    chart: 'string',
    chartContent: 'string',
    createNamespace: 'boolean',
    dockerRegistrySecret: 'object',
    driver: 'string',
    helmVersion: 'string',
    insecureSkipTLSVerify: 'boolean',
    jobImage: 'string',
    plainHTTP: 'boolean',
    podSecurityContext: 'object',
    repo: 'string',
    repoCA: 'string',
    repoCAConfigMap: 'object',
    securityContext: 'object',
    set: 'object',
    takeOwnership: 'boolean',
    targetNamespace: 'string',
    timeout: 'string',
    version: 'string',
  },
};

const enums: Readonly<Record<string, readonly string[]>> = {
  failurePolicy: ['abort', 'reinstall', 'retry'],
  driver: ['secret', 'configmap'],
  serverSide: ['true', 'false', 'auto'],
};

const defaults: Readonly<Record<string, object>> = {
  HelmChart: { failurePolicy: 'reinstall', driver: 'secret' },
  HelmChartConfig: { failurePolicy: 'reinstall' },
};

/**
 * Returns the API's refusal of a HelmChart or HelmChartConfig; `undefined` if the object is valid or has another kind.
 */
export function invalidChart(wish: ApiObject): Reply | undefined {
  const known = fields[wish.kind];
  if (known === undefined) {
    return undefined;
  }
  for (const [field, value] of Object.entries(Object(wish.spec))) {
    const form = known[field];
    if (form === undefined) {
      return untyped(wish, `.spec.${field}: field not declared in schema`);
    }
    if (formOf(value) !== form) {
      return untyped(wish, `.spec.${field}: expected ${form}, got ${JSON.stringify(value)}`);
    }
    const allowed = enums[field];
    if (allowed !== undefined && !allowed.includes(String(value))) {
      const supported = allowed.map((each) => `"${each}"`).join(', ');
      const why = `spec.${field}: Unsupported value: "${value}": supported values: ${supported}`;
      return status(422, 'Invalid', `${wish.kind}.helm.cattle.io "${wish.metadata.name}" is invalid: ${why}`);
    }
  }
  return undefined;
}

function formOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function untyped({ apiVersion, kind, metadata }: ApiObject, why: string): Reply {
  const about = `${metadata.namespace}/${metadata.name}; ${apiVersion}, Kind=${kind}`;
  const message = `failed to create typed patch object (${about}): ${why}`;
  return json(500, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: 500 });
}

/** Returns the object with its schema's defaults for missing fields. No manager owns these fields. */
export function withDefaults(object: ApiObject): ApiObject {
  const missing = defaults[object.kind];
  return missing === undefined ? object : { ...object, spec: { ...missing, ...Object(object.spec) } };
}
