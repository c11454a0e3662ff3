/** Reasons for failures of Flux. */
export const fluxReasons = {
  KubernetesTooOld: 'This release of Flux needs a newer K3s, so Slipway does not bootstrap it.',
  BootstrapFailed: 'The bootstrap of Flux failed; Slipway repeats it.',
  ControllerNotReady: 'A controller of Flux is not running; the message names it.',
  SourceNotReady: 'The GitRepository is not Ready; the message quotes its status.',
  KustomizationNotReady: 'The Kustomization is not Ready; the message quotes its status.',
} as const;
