/**
 * The label of every Secret and HelmChart that the settings put into the cluster. Slipway finds them by this label
 * after the settings no longer name them.
 */
export const workloadLabel = { 'slipway.dev/part-of': 'workloads' } as const;
