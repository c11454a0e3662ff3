import type { Diagnosis } from '../doctor/probe.ts';
import { shownSettings } from '../settings/explain.ts';
import type { Loaded } from '../settings/load.ts';
import type { Status } from './status.ts';

/** Of what commands print for programs: within a version fields are added, and none is removed or changed. */
const apiVersion = 'slipway.dev/v1';

/** What there is to print for programs; docs/usage/output.md lists the fields of each. */
export type OutputKind = 'Status' | 'Plan' | 'Diagnoses' | 'Settings';

/** Puts the two fields first by which programs know what they read, as Kubernetes does. */
export function outputOf<Content extends object>(kind: OutputKind, content: Content) {
  return { apiVersion, kind, ...content };
}

/** Returns an output as JSON. */
export function jsonOutput(kind: OutputKind, content: object): string {
  return `${JSON.stringify(outputOf(kind, content), undefined, 2)}\n`;
}

/** Returns what `slipway status` prints for programs. */
export function statusOutput(status: Status, running: boolean) {
  return outputOf('Status', { running, ...status });
}

/** Returns what `slipway doctor -o json` prints. */
export function diagnosesJson(diagnoses: readonly Diagnosis[]): string {
  return jsonOutput('Diagnoses', { diagnoses });
}

/** Returns what `slipway config -o json` prints: each setting with its origin, secrets not shown. */
export function settingsJson(loaded: Loaded): string {
  return jsonOutput('Settings', { settings: shownSettings(loaded) });
}
