/** The logins of registries: what others may use of them. The launcher and commands take answer/ directly. */

export { registryPart } from './part.ts';

// What a node has of them.

export { containerdLogins } from './containerd-login-ends.ts';
export { credentialProvider } from './credential-provider.ts';
export { loginRenewersStopped } from './login-renewers.ts';
export { loginsCache } from './logins-cache.ts';
export { pullProofs } from './proof/pull-proof.ts';
export { registries, registriesId } from './registries.ts';

// What a start of K3s is made of, and what a K3s that is taken over would lose.

export { judgeLogins } from './login-restarts.ts';
export { lostRegistries } from './lost-registries.ts';
export { registryInputs, registryNotes } from './start-inputs.ts';

// What a node holds, for readers.

export { type CredentialStatus, registryCredentials } from './credential-status.ts';

// The removal of kubelet's provider.

export { noProvider, pluginName } from './provider-config.ts';
