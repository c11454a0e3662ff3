import type { Report } from '../../agent.ts';
import { type CredentialStatus, renewalId } from '../../parts/registry/index.ts';
import type { Meter, Pass } from './meter.ts';

/**
 * Registers metrics for the registry credentials by login server: their times, renewals and failures. Returns the
 * function that updates the metrics after a pass.
 */
export function registryMetrics({ gauge, counter }: Meter): (pass: Pass) => void {
  const labels = ['server'] as const;
  const received = gauge(
    'registry_credential_received_timestamp_seconds',
    'When the credential of a registry was received.',
    labels,
  );
  const renewal = gauge(
    'registry_credential_renewal_timestamp_seconds',
    'When the credential of a registry is due for renewal.',
    labels,
  );
  const expiry = gauge(
    'registry_credential_expiry_timestamp_seconds',
    'When the credential of a registry ends.',
    labels,
  );
  const rotations = counter(
    'registry_rotations_total',
    'Credentials received from a registry, the first included.',
    labels,
  );
  const failures = counter(
    'registry_rotation_failures_total',
    'Attempts to receive a credential from a registry that failed.',
    labels,
  );
  const isReceived = receiptTimes();
  const isAttempt = failedAttempts();
  return (pass) => {
    const { credentials, knowledge } = pass.report;
    for (const each of [received, renewal, expiry]) {
      each.reset();
    }
    for (const credential of credentials) {
      const { server, receivedAt, due, ends } = credential;
      received.set({ server }, receivedAt / 1_000);
      if (due !== undefined) {
        renewal.set({ server }, due / 1_000);
      }
      if (ends !== undefined) {
        expiry.set({ server }, ends / 1_000);
      }
    }
    const hasFailed = isAttempt(pass.report);
    for (const server of knowledge.node.value?.settings.registries.servers ?? []) {
      const held = credentials.find((credential) => credential.server === server);
      rotations.inc({ server }, held && isReceived(held, pass) ? 1 : 0);
      failures.inc({ server }, hasFailed && isWanting(held, pass) ? 1 : 0);
    }
  };
}

/**
 * Returns a predicate that is true for a credential that was received since the previous pass. The first credential
 * seen for a server counts only if it was received during the pass.
 */
function receiptTimes(): (held: CredentialStatus, pass: Pass) => boolean {
  const before = new Map<string, number>();
  return ({ server, receivedAt }, { from }) => {
    const last = before.get(server);
    before.set(server, receivedAt);
    return last === undefined ? receivedAt >= from : receivedAt !== last;
  };
}

/**
 * Returns a predicate that is true for a pass in which a renewal failed. Compares the time of the next attempt with
 * that of the previous pass: the time changes only if an attempt was made.
 */
function failedAttempts(): (report: Report) => boolean {
  let before: number | undefined;
  return ({ outcomes }) => {
    const found = outcomes.find(({ resource }) => resource.id === renewalId);
    const next = found?.state === 'Failed' || found?.state === 'Waiting' ? found.lookAgainAt : undefined;
    const isNew = next !== undefined && next !== before;
    before = next;
    return isNew;
  };
}

/**
 * True if the server has no credential or a due one, so that a failed renewal counts for this server. If the renewal
 * failed only for another server, the credential of this server is not due.
 */
function isWanting(held: CredentialStatus | undefined, { to }: Pass): boolean {
  return held === undefined || (held.due !== undefined && held.due <= to);
}
