import { isInstalled } from '../../../packaging/run.ts';

/** Returns why the real registry cannot be tested here, for the title of a skipped test; an empty string if it can. */
export function whatIsMissing(): string {
  const programs = ['docker-registry', 'skopeo', 'containerd', 'ctr'].filter((name) => !isInstalled(name));
  const reasons = [
    ...(process.getuid?.() === 0 ? [] : ['containerd needs root']),
    ...(programs.length > 0 ? [`not installed: ${programs.join(', ')}`] : []),
  ];
  return reasons.length > 0 ? ` (skipped: ${reasons.join('; ')})` : '';
}
