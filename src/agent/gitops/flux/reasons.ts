/** Reasons for failures of Flux. */
export const fluxReasons = {
  KubernetesTooOld: 'The wanted release of Flux needs a newer K3s, so Slipway does not bootstrap Flux.',
  BootstrapFailed: 'The bootstrap of Flux failed; Slipway tries again.',
  ControllerNotReady: 'A controller of Flux is not running; the message names it.',
  SourceNotReady: 'The GitRepository is not Ready; the message quotes its status.',
  KustomizationNotReady: 'The Kustomization is not Ready; the message quotes its status.',
} as const;
