/** The controllers of a running server that install charts, and the Argo CD that one of these charts brings. */
import { runArgocd } from './argocd.ts';
import { labGitHost } from './argocd-lab-git.ts';
import { reconcileCharts } from './k3s-helm.ts';
import type { Objects } from './k3s-objects.ts';

const every = 500;
/** The most steps at once, so that two controllers that undo each other's changes do not stop the server. */
const mostSteps = 20;

/** Lets each controller act twice a second, for the life of the process. */
export function runControllers(objects: Objects): void {
  const git = labGitHost(objects.directory);
  setInterval(() => {
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    for (let step = 0; step < mostSteps && reconcileCharts({ objects, now }); step += 1) {}
    runArgocd(objects, git, now);
  }, every);
}
