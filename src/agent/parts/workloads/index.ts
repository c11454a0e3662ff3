/** The exports of the workloads part, which puts the Secrets of the settings into the cluster. */

export { secretNotes } from './cluster-list.ts';
export { clusterSecrets, workloadSources } from './cluster-secrets.ts';
export { workloadsPart } from './part.ts';
