import { shortDigest } from '../../engine/digest.ts';
import { Secret } from '../../engine/secret.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import { argocdNamespace } from './application.ts';
import type { ArgocdSection, ArgocdSettings } from './settings.ts';

/**
 * The keys of a Secret with a login: those with a plain value, and those with the name of the vault's secret that has
 * the value.
 */
interface Login {
  readonly values: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * Returns the Secret with which Argo CD logs in to the repository of the root Application (argo-cd.readthedocs.io,
 * "Declarative Setup"); `undefined` for a public repository. Argo CD reads the Secret at each fetch.
 */
export function repositorySecret(settings: ArgocdSettings): WishedSecret | undefined {
  const login = loginOf(settings);
  if (login === undefined) {
    return undefined;
  }
  const plain = { type: 'git', url: settings.url, ...login.values };
  return {
    namespace: argocdNamespace,
    name: 'slipway-repository',
    type: 'Opaque',
    labels: { 'argocd.argoproj.io/secret-type': 'repository' },
    keys: [...Object.keys(plain), ...Object.keys(login.keys)],
    sources: Object.values(login.keys),
    form: shortDigest(JSON.stringify([plain, login.keys])),
    values: (read) => ({
      ...mapped(plain, (value) => new Secret(value, value)),
      ...mapped(login.keys, read),
    }),
  };
}

/** Returns the names of the vault's secrets that contain the login; an empty list for a public repository. */
export function loginSources(settings: ArgocdSection): readonly string[] {
  return Object.values(loginOf(settings)?.keys ?? {});
}

function loginOf({
  username,
  tokenSecretName,
  sshKeySecretName,
  githubApp,
}: ArgocdSection): Login | undefined {
  if (tokenSecretName !== undefined) {
    return { values: { username }, keys: { password: tokenSecretName } };
  }
  if (sshKeySecretName !== undefined) {
    return { values: {}, keys: { sshPrivateKey: sshKeySecretName } };
  }
  if (githubApp === undefined) {
    return undefined;
  }
  const { appId, installationId, privateKeySecretName, enterpriseUrl } = githubApp;
  return {
    values: {
      githubAppID: String(appId),
      githubAppInstallationID: String(installationId),
      ...(enterpriseUrl !== undefined && { githubAppEnterpriseBaseUrl: enterpriseUrl }),
    },
    keys: { githubAppPrivateKey: privateKeySecretName },
  };
}

function mapped<From, To>(
  from: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value)]));
}
