/** Reasons for failures of instance principals, and of secrets that are missing or forbidden. */
export const oracleReasons = {
  InstancePrincipalUnavailable:
    'The certificate of the instance, or a token for the certificate, is not available yet.',
  InstancePrincipalRefused:
    'Oracle Cloud does not accept the signature of this instance: check the clock of the VM.',
  SecretNotVisible:
    'The secret does not exist, or this VM may not read it: Oracle Cloud answers the same for both.',
} as const;
