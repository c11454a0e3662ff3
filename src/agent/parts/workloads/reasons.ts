/** The reasons about the Secrets and charts that the settings put into the cluster, each with its meaning. */
export const workloadReasons = {
  SecretLeft:
    'The cluster still has a Secret that workloads.secrets no longer names; the message has the consent that deletes it.',
  ChartLeft:
    'The cluster still has a HelmChart that workloads.charts no longer names; the message has the consent that uninstalls its release.',
} as const;
