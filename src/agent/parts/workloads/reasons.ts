/** The reasons about the Secrets that the settings put into the cluster, each with its meaning. */
export const workloadReasons = {
  SecretLeft:
    'A Secret is in the cluster that workloads.secrets no longer names; the message has the consent that deletes it.',
} as const;
