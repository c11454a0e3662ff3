/**
 * The patterns of variables that would redirect Node, OpenSSL or a bundled library, or make a library print its input.
 *
 * The patterns do not match `NODE_ENV`, whose value is compiled in; `NODE_NAME`, which K3s sets for its children and
 * Slipway does not read; and proxy variables such as `HTTPS_PROXY`: every request goes through the Host, which uses
 * only the proxy of the settings.
 */
const powerful: readonly RegExp[] = [
  // Node: code to load, certificates to trust or not to check, files to write, a debugger to open.
  /^NODE_(?!(ENV|NAME)$)/,
  // OpenSSL: engines and certificates.
  /^(OPENSSL_|SSL_CERT_|SSLKEYLOGFILE$)/,
  // @azure/identity and MSAL: a different identity, endpoint or region.
  /^(AZURE_|IDENTITY_|IMDS_|MSI_|MSAL_|DEFAULT_IDENTITY_CLIENT_ID$|REGION_NAME$)/,
  // debug (in the proxy agents) and yaml: output of what they handle, including secrets.
  /^(DEBUG|LOG_STREAM|LOG_TOKENS)$/,
];

/** Returns the names of the variables in `environment` that Slipway must ignore, sorted. */
export function powerfulVariables(environment: NodeJS.ProcessEnv): readonly string[] {
  return Object.keys(environment)
    .filter((name) => powerful.some((pattern) => pattern.test(name)))
    .sort();
}

/** Returns `environment` without the named variables. */
export function withoutVariables(
  environment: NodeJS.ProcessEnv,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !names.includes(entry[0]),
  );
  return Object.fromEntries(kept);
}
