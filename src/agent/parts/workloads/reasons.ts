/** The reasons about the Secrets and charts that the settings put into the cluster, each with its meaning. */
export const workloadReasons = {
  SecretLeft:
    'A Secret is in the cluster that workloads.secrets no longer names; the message has the consent that deletes it.',
  ChartLeft:
    'A HelmChart is in the cluster that workloads.charts no longer names; the message has the consent that uninstalls its release.',
} as const;
