/** The exports of the workloads part, which puts the Secrets and charts of the settings into the cluster. */

export { workloadSources } from './cluster-secrets.ts';
export { clusterWorkloads } from './cluster-workloads.ts';
export { workloadsPart } from './part.ts';
export { workloadNotes } from './workload-notes.ts';
