/**
 * The CRDs of Argo CD, and the validation of applied Applications.
 *
 * Models manifests/crds/application-crd.yaml of argoproj/argo-cd 3.4. Deliberately stricter than the real CRD: rejects
 * fields that Slipway does not use.
 */
import type { ApiObject } from './k3s-objects.ts';
import { type Reply, status } from './k3s-reply.ts';

const group = 'argoproj.io';
export const applications = `applications.${group}`;

/** Returns the CRDs of Argo CD, each with the condition Established. */
export function argocdCrds(): readonly ApiObject[] {
  return [applications, `appprojects.${group}`, `applicationsets.${group}`].map((name) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name, annotations: { 'helm.sh/resource-policy': 'keep' } },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  }));
}

type Type = 'string' | 'integer' | 'boolean' | 'strings' | { readonly [field: string]: Type };

const spec: Type = {
  project: 'string',
  source: { repoURL: 'string', path: 'string', targetRevision: 'string', chart: 'string' },
  destination: { server: 'string', namespace: 'string', name: 'string' },
  syncPolicy: {
    automated: { prune: 'boolean', selfHeal: 'boolean', allowEmpty: 'boolean', enabled: 'boolean' },
    syncOptions: 'strings',
    retry: {
      limit: 'integer',
      backoff: { duration: 'string', factor: 'integer', maxDuration: 'string' },
      refresh: 'boolean',
    },
  },
};

const required = ['spec.project', 'spec.destination', 'spec.source.repoURL'];

/** Returns the API's refusal of an applied Application; `undefined` if the Application is valid. */
export function invalidApplication(wish: ApiObject): Reply | undefined {
  const { name, namespace } = wish.metadata;
  const wrong = firstWrong(wish.spec, spec, '.spec');
  if (wrong !== undefined) {
    const typed = `failed to create typed patch object (${namespace}/${name}; argoproj.io/v1alpha1, Kind=Application)`;
    return status(500, 'InternalError', `${typed}: ${wrong}`);
  }
  const missing = required.find((path) => valueAt(wish, path) === undefined);
  return missing === undefined
    ? undefined
    : status(422, 'Invalid', `Application.argoproj.io "${name}" is invalid: ${missing}: Required value`);
}

function firstWrong(value: unknown, type: Type, path: string): string | undefined {
  if (typeof type === 'string') {
    return isOf(value, type) ? undefined : `${path}: expected ${type}, got ${JSON.stringify(value)}`;
  }
  for (const [field, inner] of Object.entries(Object(value))) {
    const known = type[field];
    const wrong =
      known === undefined
        ? `${path}.${field}: field not declared in schema`
        : firstWrong(inner, known, `${path}.${field}`);
    if (wrong !== undefined) {
      return wrong;
    }
  }
  return undefined;
}

function isOf(value: unknown, type: 'string' | 'integer' | 'boolean' | 'strings'): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'strings':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    default:
      return typeof value === type;
  }
}

function valueAt(object: object, path: string): unknown {
  return path.split('.').reduce<unknown>((within, key) => Object(within)[key], object);
}
