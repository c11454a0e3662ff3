/** The label of every Secret that the settings put into the cluster, by which they are found when no longer wished. */
export const workloadLabel = { 'slipway.dev/part-of': 'workloads' } as const;
