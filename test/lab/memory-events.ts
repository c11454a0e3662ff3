import { reveal } from '../../src/agent/engine/secret.ts';
import { ScheduledEvents } from './azure/scheduled-events.ts';
import type { MemoryHost } from './memory-host.ts';

/** The address of the metadata service of Azure. */
export const metadataUrl = 'http://169.254.169.254';

/** The events of an emulated Azure, and how its metadata service fails. */
export interface MemoryEvents {
  readonly azure: ScheduledEvents;
  /** The status with which the service refuses every request; `undefined` while it answers. */
  refuses: number | undefined;
}

/** Answers a MemoryHost's requests to the metadata service of Azure: the name of the VM, and its scheduled events. */
export function serveEvents(
  host: MemoryHost,
  { name, priority = '' }: { readonly name: string; readonly priority?: '' | 'Spot' },
): MemoryEvents {
  const served: MemoryEvents = { azure: new ScheduledEvents(() => host.now()), refuses: undefined };
  host.onRequest(
    { url: (url) => url.startsWith(`${metadataUrl}/`) },
    ({ method, url, headers = {}, body = '' }) => {
      if (served.refuses !== undefined || headers.Metadata !== 'true') {
        return { status: served.refuses ?? 400 };
      }
      const asked = new URL(url);
      if (asked.pathname === '/metadata/instance') {
        return { status: 200, body: JSON.stringify({ compute: { name, vmId: 'a-vm', priority } }) };
      }
      const reply = served.azure.answer({ method, url: asked, body: reveal(body) }, name);
      return { status: reply.status, body: JSON.stringify(reply.body) };
    },
  );
  return served;
}
