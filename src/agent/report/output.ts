import type { Diagnosis } from '../doctor/probe.ts';
import type { ListedBackup } from '../parts/backup/index.ts';
import type { TurnsReport } from '../parts/maintenance/index.ts';
import { shownSettings } from '../settings/explain.ts';
import type { Loaded } from '../settings/load.ts';
import type { Status } from './status.ts';

/** The version of all output for programs. Within a version, fields may be added, but none is removed or changed. */
const apiVersion = 'slipway.dev/v1';

/** The kinds of output for programs; docs/usage/output.md lists their fields. */
export type OutputKind = 'Status' | 'Plan' | 'Diagnoses' | 'Settings' | 'Turns' | 'Backups';

/** Returns an output that begins with the two fields by which programs recognize its kind, as in Kubernetes. */
export function outputOf<Content extends object>(kind: OutputKind, content: Content) {
  return { apiVersion, kind, ...content };
}

/** Returns an output as JSON. */
export function jsonOutput(kind: OutputKind, content: object): string {
  return `${JSON.stringify(outputOf(kind, content), undefined, 2)}\n`;
}

/** Returns the output of `slipway status` for programs. */
export function statusOutput(status: Status, running: boolean) {
  return outputOf('Status', { running, ...status });
}

/** Returns the output of `slipway doctor -o json`. */
export function diagnosesJson(diagnoses: readonly Diagnosis[]): string {
  return jsonOutput('Diagnoses', { diagnoses });
}

/** Returns the output of `slipway config -o json`: each setting with its origin, without showing secrets. */
export function settingsJson(loaded: Loaded): string {
  return jsonOutput('Settings', { settings: shownSettings(loaded) });
}

/** Returns the output of `slipway backup list -o json`. */
export function backupsJson(to: string, backups: readonly ListedBackup[]): string {
  const shown = backups.map(({ at, ...backup }) => ({ ...backup, made: new Date(at).toISOString() }));
  return jsonOutput('Backups', { to, backups: shown });
}

/** Returns the output of `slipway turn -o json`. */
export function turnsJson(report: TurnsReport): string {
  return jsonOutput('Turns', report);
}
