/** The reasons of the pull credentials and of the pull checks. */
export const registryReasons = {
  RegistriesInvalid: 'The registries.yaml that would be written does not parse; the old one stays.',
  ProviderNotOurs: 'Another credential provider is configured for kubelet; it was left alone.',
  PullDenied: 'The registry accepts the login but refuses the pull: permit this VM to pull the image.',
  PullCredentialRefused: 'The registry does not accept the credential that registries.yaml holds.',
  ContainerdLoginEnds:
    "A login that containerd got at K3s's start, and pulls with by itself, ends soon or has ended: restart K3s, or set registries.onRotate to auto.",
  ProofImageNotFound: 'The image that is to prove pulls is not in the registry: check registries.proof.',
  StorageUnreachable:
    'The registry sends layers from a storage endpoint that this VM cannot reach or that refuses it.',
} as const;
