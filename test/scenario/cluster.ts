import type { ApiObject } from '../lab/standins/k3s-objects.ts';
import type { World } from './world.ts';

/** Returns the annotations of a Node; empty if the cluster has no such Node. */
export function annotationsOf({ kubernetes }: World, node: string): Readonly<Record<string, string>> {
  return Object(kubernetes.objects.get('nodes', undefined, node)?.metadata.annotations);
}

/** Returns the events in the cluster, in the order of their times. */
export function eventsOf({ kubernetes }: World): readonly ApiObject[] {
  const time = ({ firstTimestamp }: ApiObject) => String(firstTimestamp);
  return [...kubernetes.objects.list('events')].sort((a, b) => time(a).localeCompare(time(b)));
}

const flux = {
  source: 'gitrepositories.source.toolkit.fluxcd.io',
  sync: 'kustomizations.kustomize.toolkit.fluxcd.io',
} as const;

/** Changes the spec of Flux's GitRepository or Kustomization, as a commit to gotk-sync.yaml does. */
export function editFlux({ kubernetes: { objects } }: World, which: keyof typeof flux, spec: object): void {
  const found = objects.get(flux[which], 'flux-system', 'flux-system');
  if (found === undefined) {
    throw new Error('Flux is not bootstrapped.');
  }
  objects.put(flux[which], 'flux-system', { ...found, spec: { ...Object(found.spec), ...spec } });
}
