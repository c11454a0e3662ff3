/** Reasons for failures of instance principals, and for secrets that are missing or forbidden. */
export const oracleReasons = {
  InstancePrincipalUnavailable:
    'Oracle Cloud does not yet provide the certificate of the instance, or a token for this certificate.',
  InstancePrincipalRefused:
    'Oracle Cloud does not accept the signature of this instance: check the clock of the VM.',
  SecretNotVisible:
    'The secret does not exist, or this VM may not read it: Oracle Cloud gives the same answer in both cases.',
} as const;
