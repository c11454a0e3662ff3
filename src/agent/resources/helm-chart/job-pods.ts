import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { printableLine } from '../../engine/printable.ts';
import { withoutLogins } from '../../engine/url-login.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import { chartNamespace } from './chart-object.ts';
import type { InstallJob } from './install-job.ts';

const longestQuote = 300;

const ended = z.object({ exitCode: z.number(), message: z.optional(z.string()) });
const state = z.nullish(
  z.object({
    waiting: z.optional(z.object({ reason: z.optional(z.string()), message: z.optional(z.string()) })),
    terminated: z.optional(ended),
  }),
);

const pod = z.object({
  metadata: z.object({ creationTimestamp: z.string() }),
  status: z.object({
    conditions: z.nullish(
      z.array(z.object({ type: z.string(), status: z.string(), message: z.optional(z.string()) })),
    ),
    containerStatuses: z.nullish(z.array(z.object({ restartCount: z.number(), state, lastState: state }))),
  }),
});

/** What keeps a job from finishing, according to its newest pod. */
export interface Hindrance {
  /** True if helm or the start of its pod failed; false while the pod waits for a node. */
  readonly isFailure: boolean;
  readonly words: string;
}

/** Reads what hinders the newest pod of a job; `undefined` if nothing does. Throws the errors of `readApi`. */
export async function readHindrance(
  host: HostReader,
  access: ApiAccess,
  { metadata }: InstallJob,
): Promise<Hindrance | undefined> {
  const ofJob = { 'batch.kubernetes.io/controller-uid': metadata.uid };
  const path = listPath({ apiVersion: 'v1', resource: 'pods', namespace: chartNamespace }, ofJob);
  const found = await readList(host, access, path, pod);
  const newest = found.toSorted((a, b) => createdAt(a) - createdAt(b)).at(-1);
  return newest && hindranceOf(newest.status);
}

function createdAt({ metadata }: z.output<typeof pod>): number {
  return Date.parse(metadata.creationTimestamp);
}

type PodStatus = z.output<typeof pod>['status'];

function hindranceOf({ conditions, containerStatuses }: PodStatus): Hindrance | undefined {
  const [container] = containerStatuses ?? [];
  const last = container?.state?.terminated ?? container?.lastState?.terminated;
  if (last !== undefined && last.exitCode !== 0) {
    const said = last.message === undefined ? '' : `, after: ${quote(last.message)}`;
    const times = container?.restartCount ? ` at attempt ${container.restartCount + 1} or before` : '';
    return { isFailure: true, words: `helm ended with exit code ${last.exitCode}${times}${said}` };
  }
  const { reason = '', message } = container?.state?.waiting ?? {};
  if (/Err|BackOff|Invalid/.test(reason)) {
    return { isFailure: true, words: `its pod does not start: ${quote([reason, message].join(': '))}` };
  }
  const place = conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return place && { isFailure: false, words: `its pod waits for a node: ${quote(place.message ?? '')}` };
}

/** Returns the last non-empty line of a text, shortened and printable. This line usually states the cause. */
function quote(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  return printableLine(withoutLogins(line)).slice(0, longestQuote);
}
