/** Reasons for failures of Argo CD. */
export const argocdReasons = {
  ArgocdNotReady: 'Argo CD is being installed, so the root Application waits.',
  ApplicationNotSynced: 'Argo CD does not apply the repository; the message quotes the root Application.',
  ApplicationNotHealthy:
    'Argo CD applied the repository, but what it applied is not healthy; the message quotes the root Application.',
} as const;
