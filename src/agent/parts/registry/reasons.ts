/** The reasons that the logins of registries and the pull checks report, each with its meaning. */
export const registryReasons = {
  RegistriesInvalid: 'The settings would make registries.yaml invalid, so the old file stays.',
  ProviderNotOurs: 'Another credential provider is configured for kubelet; Slipway did not change it.',
  PullDenied: 'The registry accepts the login but refuses the pull: permit this VM to pull the image.',
  PullCredentialRefused: 'The registry does not accept the credential in registries.yaml.',
  ContainerdLoginEnds:
    'The login that containerd uses for pulls without kubelet expires soon or has expired. containerd got this login when K3s started: restart K3s, or set registries.onRotate to auto.',
  ProofImageNotFound: 'The image for testing pulls is not in the registry: check registries.proof.',
  StorageUnreachable:
    'The registry redirects to a storage endpoint that this VM cannot reach, or that rejects the VM.',
} as const;
