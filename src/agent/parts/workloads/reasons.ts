/** The reasons about the Secrets that the settings put into the cluster, each with its meaning. */
export const workloadReasons = {
  SecretOwned:
    'Another program owns a key of a Secret in workloads.secrets; the message names the program, and nothing was changed.',
  SecretLeft:
    'A Secret is in the cluster that workloads.secrets no longer names; the message has the consent that deletes it.',
} as const;
