import { flag, optional } from './flux-flags.ts';
import { fluxProviders } from './providers.ts';
import type { FluxSettings } from './settings.ts';

/**
 * Returns the arguments of `flux bootstrap`, without the token. Flux gets half of the time limit, because it waits for
 * its controllers for a second period of the same length. With `caFile`, which comes from `network.caFile`, both the
 * CLI and Flux's controllers trust the CAs in that file.
 */
export function bootstrapArguments(
  settings: FluxSettings,
  kubeconfig: string,
  caFile?: string,
): readonly string[] {
  return [
    'bootstrap',
    settings.provider,
    flag('kubeconfig', kubeconfig),
    flag('timeout', goDuration(settings.timeout / 2)),
    ...optional('ca-file', caFile),
    ...fluxProviders[settings.provider].flags(settings),
    flag('branch', settings.branch),
    ...optional('path', settings.path),
    flag('interval', goDuration(settings.interval)),
    flag('token-auth', settings.tokenAuth),
    flag('components', settings.components.join(',')),
    ...optional('components-extra', settings.componentsExtra.join(',')),
  ];
}

/** Returns a duration in the form that Go's time.ParseDuration reads. */
function goDuration(milliseconds: number): string {
  const [minutes, seconds] = [milliseconds / 60_000, milliseconds / 1_000];
  if (Number.isInteger(minutes)) {
    return `${minutes}m`;
  }
  return Number.isInteger(seconds) ? `${seconds}s` : `${milliseconds}ms`;
}
