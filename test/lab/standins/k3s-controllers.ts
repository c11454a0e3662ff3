/**
 * Runs the controllers of a running server: those of pods and their budgets, the one that installs charts, and Argo CD,
 * which one of these charts installs.
 */
import { runArgocd } from './argocd.ts';
import { labGitHost } from './argocd-lab-git.ts';
import { reconcileCharts } from './k3s-helm.ts';
import type { Objects } from './k3s-objects.ts';
import { settlePods } from './k3s-pods.ts';

const every = 500;
/**
 * The maximum number of steps in one round, so that two controllers that undo each other's changes do not block the
 * server.
 */
const mostSteps = 20;

/** Runs each controller twice a second while `leads` is true, until the process ends. */
export function runControllers(objects: Objects, leads: () => boolean): void {
  const git = labGitHost(objects.directory);
  setInterval(() => {
    if (!leads()) {
      return;
    }
    settlePods(objects, Date.now());
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    for (let step = 0; step < mostSteps && reconcileCharts({ objects, now }); step += 1) {}
    runArgocd(objects, git, now);
  }, every);
}
