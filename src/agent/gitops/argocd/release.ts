/** The name of the Helm release. The names of Argo CD's Deployments begin with it, such as argocd-server. */
export const release = 'argocd';
