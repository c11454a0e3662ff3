/** Reasons for failures of Flux. */
export const fluxReasons = {
  BootstrapFailed: 'The bootstrap of Flux did not finish; it is tried again.',
  BootstrapPathDiffers: 'Flux is bootstrapped at another path than the settings name; nothing was changed.',
  SourceNotReady: 'The GitRepository is not Ready; its own message is quoted.',
  KustomizationNotReady: 'The Kustomization is not Ready; its own message is quoted.',
} as const;
