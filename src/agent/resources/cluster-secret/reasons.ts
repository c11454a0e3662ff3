/** The reasons about Secrets that Slipway keeps in the cluster, each with its meaning. */
export const clusterSecretReasons = {
  SecretOwned:
    'Another program owns a key of a Secret that the settings put into the cluster; the message names the program, and Slipway changed nothing.',
} as const;
