/** The logins of registries: what others may use of them. The launcher and commands take answer/ directly. */

export { registryPart } from './part.ts';

// What a node has of them.

export { containerdLogins } from './containerd-expiry.ts';
export { formerLoginsGone } from './former-logins.ts';
export { credentialProvider } from './kubelet-plugin.ts';
export { loginRenewersStopped } from './older-timers.ts';
export { pullProofs } from './proof/pull-proof.ts';
export { registriesFile } from './registries-file.ts';
export { loginsRenewed, renewalId } from './renewal.ts';

// What a start of K3s is made of, and what a K3s that is taken over would lose.

export { lostRegistries } from './registries-file.ts';
export { judgeLogins } from './restarts.ts';
export { registryInputs, registryNotes } from './start-inputs.ts';

// What a node holds, for readers and for kubelet's plugin.

export { type CredentialStatus, registryCredentials } from './credential-status.ts';
export { readLogins, renderLogins, storedLogin } from './login-store.ts';

// The removal of kubelet's provider.

export { noProvider, pluginName } from './kubelet-config.ts';
