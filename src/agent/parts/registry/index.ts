/** The exports of the registry part for other folders. The launcher and commands import answer/ directly. */

export { registryPart } from './part.ts';

// The Resources of a node.

export { containerdLogins } from './containerd-expiry.ts';
export { formerLoginsGone } from './former-logins.ts';
export { loginsJudged } from './judged-logins.ts';
export { credentialProvider } from './kubelet-plugin.ts';
export { loginRenewersStopped } from './older-timers.ts';
export { pullProofs } from './proof/pull-proof.ts';
export { registriesFile } from './registries-file.ts';
export { loginsRenewed, renewalId } from './renewal.ts';

// The inputs of a start of K3s, the changed logins that do not restart K3s, and the registries that an adopted K3s
// would lose.

export { lostRegistries } from './registries-file.ts';
export { judgeLogins } from './restarts.ts';
export { registryInputs, registryNotes } from './start-inputs.ts';

// The logins of a node, for the status and for kubelet's plugin.

export { type CredentialStatus, registryCredentials } from './credential-status.ts';
export { notRefused, readLogins, renderLogins, storedLogin } from './login-store.ts';

// The removal of kubelet's credential provider, and the name of its plugin.

export { noProvider, pluginName } from './kubelet-config.ts';
