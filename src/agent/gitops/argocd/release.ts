/** The name of the release, which the Deployments of Argo CD have as a prefix: argocd-server. */
export const release = 'argocd';
